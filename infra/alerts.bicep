// What wakes a person when nobody looks. All of it is judged outside the app, so a dead app is told too.
// Queries stand in queries/*.kql; what each alert means and what to do: docs/operations.md.
param name string
param location string
param tags object
param email string
param workspaceId string
param insightsId string
param serviceBusId string
param address string
param watchedPlatforms string

var stale = loadTextContent('queries/stale_sync.kql')
var conflict = loadTextContent('queries/conflict.kql')
var circuit = loadTextContent('queries/circuit_open.kql')
var failures = loadTextContent('queries/failures.kql')

// Absent data has no rows: what must never fall silent is named in the query itself.
var noneNamed = 'datatable(platform: string)[]'
var named = 'datatable(platform: string)${string(split(watchedPlatforms, ','))}'

// The web test asks from these places (Amsterdam, Paris, Dublin), each every 15 minutes.
var places = ['emea-nl-ams-azr', 'emea-fr-pra-edge', 'emea-gb-db3-azr']

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${name}-people'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'sync-engine'
    enabled: true
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource staleSync 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: '${name}-stale-sync'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Nothing was synchronised with a platform for an hour'
    description: 'Sold nights may stand open there, or a day\'s logs were full (docs/deploy.md). Open ${address}/health, then the page of channels.'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT1H'
    overrideQueryTimeRange: 'P2D'
    criteria: {
      allOf: [
        {
          query: empty(watchedPlatforms) ? stale : replace(stale, noneNamed, named)
          timeAggregation: 'Count'
          dimensions: [
            {
              name: 'platform'
              operator: 'Include'
              values: ['*']
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

resource conflictDetected 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: '${name}-conflict'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Nights were sold twice'
    description: 'Two guests have the same nights; nobody was cancelled. Decide: ${address}/conflicts'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT1H'
    overrideQueryTimeRange: 'P2D'
    criteria: {
      allOf: [
        {
          query: conflict
          timeAggregation: 'Count'
          dimensions: [
            {
              name: 'property'
              operator: 'Include'
              values: ['*']
            }
            {
              name: 'nights'
              operator: 'Include'
              values: ['*']
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

resource circuitOpen 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: '${name}-circuit-open'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'A platform has not let us through for 10 minutes'
    description: 'Its circuit is open: nights to close by hand stand on ${address}/'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT1H'
    overrideQueryTimeRange: 'P2D'
    criteria: {
      allOf: [
        {
          query: circuit
          timeAggregation: 'Count'
          dimensions: [
            {
              name: 'platform'
              operator: 'Include'
              values: ['*']
            }
            {
              name: 'account'
              operator: 'Include'
              values: ['*']
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

resource failing 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: '${name}-failures'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'A function fails again and again'
    description: 'Three failures of one function in 30 minutes, or one of a timer that is rare. Look for the correlation id in the traces: docs/operations.md'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
    criteria: {
      allOf: [
        {
          query: failures
          timeAggregation: 'Count'
          dimensions: [
            {
              name: 'failed'
              operator: 'Include'
              values: ['*']
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

resource deadLetters 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: '${name}-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'Messages nobody could work off. Look, and send them again: ${address}/messages'
    severity: 2
    enabled: true
    scopes: [serviceBusId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: ['*']
            }
          ]
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    actions: [{ actionGroupId: people.id }]
  }
}

// A deployment can stop every timer of an app at once while HTTP goes on: /health counts from the tables.
resource health 'Microsoft.Insights/webtests@2022-06-15' = {
  name: '${name}-health'
  location: location
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${name}-health'
    Name: '${name}-health'
    Enabled: true
    Kind: 'standard'
    Frequency: 900
    // An app that slept may take half a minute to wake.
    Timeout: 60
    RetryEnabled: true
    Locations: [for place in places: { Id: place }]
    Request: {
      RequestUrl: '${address}/health'
      HttpVerb: 'GET'
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource unhealthy 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: '${name}-unhealthy'
  location: 'global'
  tags: tags
  properties: {
    description: '/health says no, or nothing at all, from two places. Open ${address}/health: it names why.'
    severity: 1
    enabled: true
    scopes: [health.id, insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: health.id
      componentId: insightsId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [{ actionGroupId: people.id }]
  }
}
