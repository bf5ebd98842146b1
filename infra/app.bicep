// The function app on Flex Consumption, its settings, and the sign-in before it.
param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string
param storageName string
param packages string
param serviceBusHost string
param workQueue string
param conflictsQueue string
param vaultUri string
param insightsConnection string
param telemetry string
param contactAddress string
param notifyEmail string
param consoleOperators string
param publicBaseUrl string
param secretSettings string
param authClientId string
param unauthenticated string
param alwaysReadyHttp int
param alwaysReadyWorker int
param instanceMemory int
param maximumInstances int

// Rhythms, retries, ways of notices: plain settings that are the same everywhere. Change them in that file.
var plain = loadJsonContent('settings.json')

// The secret of WEBHOOK_SECRET_AIRBNB is called webhook-secret-airbnb: a vault's names have no underscores.
var secretNames = filter(split(secretSettings, ','), setting => !empty(trim(setting)))
var references = toObject(
  secretNames,
  setting => trim(setting),
  setting => '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${toLower(replace(trim(setting), '_', '-'))})'
)

// What needs nobody's sign-in, where strangers are sent away before the app: platforms and calendars bring a secret in
// their path, monitors ask /health, and the rest is the same for everybody.
var openPaths = ['/webhooks/*', '/export/*', '/health', '/static/*', '/api/openapi.json']

var alwaysReady = concat(
  alwaysReadyHttp > 0 ? [{ name: 'http', instanceCount: alwaysReadyHttp }] : [],
  alwaysReadyWorker > 0 ? [{ name: 'function:sync_worker', instanceCount: alwaysReadyWorker }] : []
)

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'engine' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packages
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.11'
      }
      scaleAndConcurrency: {
        alwaysReady: alwaysReady
        instanceMemoryMB: instanceMemory
        maximumInstanceCount: maximumInstances
        // Left to itself a Python app takes one request at a time (REPORTED): each file of a page, and the webhook beside it,
        // would wait for an instance of its own to wake. Ours only wait for tables, side by side.
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
    }
    // Flex Consumption takes few of the other properties that a site has.
    siteConfig: { minTlsVersion: '1.2' }
  }
}

// Deployments come with a person's or a program's token, never with a password of the site.
resource noPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = [
  for door in ['scm', 'ftp']: {
    parent: site
    name: door
    properties: { allow: false }
  }
]

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: union(
    plain,
    {
      // The host: its leases, its logs.
      AzureWebJobsStorage__accountName: storageName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      // Ours. The SDK's credential needs to be told which identity it is.
      AZURE_CLIENT_ID: identityClientId
      STORAGE__accountName: storageName
      SERVICEBUS__fullyQualifiedNamespace: serviceBusHost
      SERVICEBUS__credential: 'managedidentity'
      SERVICEBUS__clientId: identityClientId
      WORK_QUEUE: workQueue
      CONFLICTS_QUEUE: conflictsQueue
      PUBLIC_BASE_URL: empty(publicBaseUrl) ? 'https://${site.properties.defaultHostName}' : publicBaseUrl
      CONTACT_ADDRESS: contactAddress
      NOTIFY_EMAIL: notifyEmail
      SIGN_IN: 'azure'
      CONSOLE_OPERATORS: consoleOperators
      TELEMETRY: telemetry
      // The sign-in proves itself with the app's identity instead of a secret.
      OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
    },
    references
  )
}

resource signIn 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'authsettingsV2'
  // Both write the site's settings: one after the other.
  dependsOn: [settings]
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: unauthenticated != 'AllowAnonymous'
      unauthenticatedClientAction: unauthenticated
      redirectToProvider: 'azureactivedirectory'
      excludedPaths: unauthenticated == 'AllowAnonymous' ? [] : openPaths
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [authClientId, 'api://${authClientId}']
          defaultAuthorizationPolicy: {
            // People by the sign-in itself, programs by the token that the Azure command line gets for them.
            allowedApplications: [authClientId, '04b07795-8ddb-461a-bbee-02f9e1bf7b46']
          }
        }
      }
    }
    login: {
      // Nobody calls anything else in their name: their tokens need not be kept.
      tokenStore: { enabled: false }
    }
    httpSettings: { requireHttps: true }
  }
}

output name string = site.name
output address string = 'https://${site.properties.defaultHostName}'
