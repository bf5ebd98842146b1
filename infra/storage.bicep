// The tables, and what the Functions host needs: its leases and the app's package. Opened by identity alone.
param name string
param location string
param tags object

// Part of the stored format (shared/state/names.py): never rename one.
var tableNames = ['Sites', 'Reservations', 'Inbox', 'Feeds', 'Due', 'Accounts', 'Runs', 'FeedReads']

var container = 'app-package'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // The app has no network of its own (it would cost more than all the rest): who may enter is said by roles.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: container
  properties: { publicAccess: 'None' }
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2026-04-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2026-04-01' = [
  for tableName in tableNames: {
    parent: tables
    name: tableName
  }
]

output name string = account.name
output packages string = '${account.properties.primaryEndpoints.blob}${container}'
