// Everything Sync Engine needs in one resource group, without a key anywhere: `azd up` (docs/deploy.md).
// No compiler was at hand when this was written: tests/infra reads it, `az bicep build` is the authority.
targetScope = 'subscription'

@description('Name of this environment, of letters, digits and hyphens; part of the names of resource group and app.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Azure region of everything, for example francecentral.')
param location string

@description('Where alerts go, and mails about the budget.')
param alertEmail string

@description('E-mail or web address in our User-Agent, for those whose calendars we read.')
param contactAddress string

@description('Who may decide for all owners: their object ids, or the names with which they sign in, separated by commas.')
param consoleOperators string

@description('Application (client) id of the app registration people sign in with; infra/sign-in.sh makes it.')
param authClientId string

@description('Object id of whoever deploys, who may then write secrets into the vault; empty for nobody.')
param principalId string = ''

@description('What kind of principal that is.')
@allowed(['User', 'ServicePrincipal'])
param principalType string = 'User'

@description('Settings whose values stand in the Key Vault, separated by commas; put each secret there before naming it.')
param secretSettings string = ''

@description('Our address, if it is not the app\'s own: https, without a trailing slash.')
param publicBaseUrl string = ''

@description('What the sign-in does with strangers. AllowAnonymous leaves them to the app\'s own door: docs/decisions says why.')
@allowed(['RedirectToLoginPage', 'AllowAnonymous'])
param unauthenticated string = 'AllowAnonymous'

@description('Instances that never sleep, for webhooks and pages (paid by the hour). 0: the first call after a rest waits.')
@minValue(0)
@maxValue(10)
param alwaysReadyHttp int = 0

@description('Instances that never sleep, for the queue of work.')
@minValue(0)
@maxValue(10)
param alwaysReadyWorker int = 0

@description('Memory of an instance in MB. The largest part of the bill: docs/cost.md.')
@allowed([512, 2048, 4096])
param instanceMemory int = 512

@description('Most instances at once.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Where events and numbers go.')
@allowed(['application_insights', 'otel', 'log', 'off'])
param telemetry string = 'application_insights'

@description('Days logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('Most logs taken in on one day, in GB; the rest of that day is lost. -1 for no limit.')
param logGigabytes int = 1

@description('Platforms that must never fall silent, separated by commas; empty: those heard of in the last two days.')
param watchedPlatforms string = ''

@description('Amount a month, in the currency of the subscription, near which mails are sent. 0: none are.')
@minValue(0)
param monthlyBudget int = 50

@description('First day of the month in which the budget begins; it cannot be changed later.')
param budgetStart string = '2027-01-01'

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var queueNames = ['work', 'conflicts']

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module storage 'storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
  }
}

module servicebus 'servicebus.bicep' = {
  name: 'servicebus'
  scope: group
  params: {
    name: 'sb-${token}'
    location: location
    tags: tags
    queueNames: queueNames
  }
}

module keyvault 'keyvault.bicep' = {
  name: 'keyvault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
  }
}

module insights 'insights.bicep' = {
  name: 'insights'
  scope: group
  params: {
    name: 'sync-${token}'
    location: location
    tags: tags
    days: logDays
    gigabytes: logGigabytes
  }
}

module roles 'roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    appPrincipalId: identity.outputs.principalId
    deployerId: principalId
    deployerType: principalType
    storageName: storage.outputs.name
    serviceBusName: servicebus.outputs.name
    vaultName: keyvault.outputs.name
    insightsName: insights.outputs.name
  }
}

module app 'app.bicep' = {
  name: 'app'
  scope: group
  // The app opens its storage, queues and secrets as soon as it starts.
  dependsOn: [roles]
  params: {
    name: 'sync-${environmentName}-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    packages: storage.outputs.packages
    serviceBusHost: servicebus.outputs.host
    workQueue: queueNames[0]
    conflictsQueue: queueNames[1]
    vaultUri: keyvault.outputs.uri
    insightsConnection: insights.outputs.connection
    telemetry: telemetry
    contactAddress: contactAddress
    notifyEmail: alertEmail
    consoleOperators: consoleOperators
    publicBaseUrl: publicBaseUrl
    secretSettings: secretSettings
    authClientId: authClientId
    unauthenticated: unauthenticated
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyWorker: alwaysReadyWorker
    instanceMemory: instanceMemory
    maximumInstances: maximumInstances
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    name: 'sync-${environmentName}'
    location: location
    tags: tags
    email: alertEmail
    workspaceId: insights.outputs.workspaceId
    insightsId: insights.outputs.id
    serviceBusId: servicebus.outputs.id
    address: app.outputs.address
    watchedPlatforms: watchedPlatforms
  }
}

module budget 'budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  scope: group
  params: {
    name: 'budget-${environmentName}'
    amount: monthlyBudget
    start: budgetStart
    email: alertEmail
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = app.outputs.name
output APP_URL string = app.outputs.address
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output VAULT_NAME string = keyvault.outputs.name
