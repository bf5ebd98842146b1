#!/bin/sh
# The app registration people sign in with: Bicep alone cannot make one. Needs az (signed in) and azd.
#
#   sh infra/sign-in.sh register    before the first `azd up`: makes the registration, writes AUTH_CLIENT_ID and
#                                   BUDGET_START into the azd environment
#   sh infra/sign-in.sh connect     after each deployment, called by azd itself: where the app is, that its identity
#                                   speaks for it, and that the Azure command line may ask for tokens
#
# Both may be run again: what is there already stays. No secret is made anywhere.
set -eu

# The Azure command line's own application id, the same everywhere.
AZURE_CLI=04b07795-8ddb-461a-bbee-02f9e1bf7b46

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

# What azd says of a name it does not know comes on its standard output, with 1 at the end.
value() {
    found=$(azd env get-value "$1" 2>/dev/null) && printf '%s' "$found" || true
}

# Without a service principal nobody can sign in. A registration just made is not known everywhere at once: the service may
# refuse it for a while.
serve() {
    for pause in 0 5 10 20 40; do
        sleep "$pause"
        az ad sp show --id "$1" --output none 2>/dev/null && return
        az ad sp create --id "$1" --output none && return
    done
    stop "The registration $1 has no service principal yet: see above, then run  sh infra/sign-in.sh register  again."
}

register() {
    [ -n "$(value BUDGET_START)" ] || azd env set BUDGET_START "$(date +%Y-%m-01)"
    id=$(value AUTH_CLIENT_ID)
    if [ -n "$id" ]; then
        serve "$id"
        printf 'AUTH_CLIENT_ID is set: nothing else to do.\n'
        return
    fi
    name=$(value AZURE_ENV_NAME)
    [ -n "$name" ] || stop "No environment yet: run  azd env new <name>  first."
    id=$(az ad app create --display-name "sync-engine-$name" --sign-in-audience AzureADMyOrg \
        --enable-id-token-issuance true --query appId --output tsv)
    [ -n "$id" ] || stop "The registration was not made. You need the right to register applications in your tenant."
    azd env set AUTH_CLIENT_ID "$id"
    serve "$id"
    printf 'Registered as sync-engine-%s (%s).\n' "$name" "$id"
}

patch() {
    az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications/$object" \
        --headers Content-Type=application/json --body "$1" --output none
}

connect() {
    id=$(value AUTH_CLIENT_ID)
    url=$(value APP_URL)
    principal=$(value IDENTITY_PRINCIPAL_ID)
    [ -n "$id" ] && [ -n "$url" ] && [ -n "$principal" ] ||
        stop "AUTH_CLIENT_ID, APP_URL or IDENTITY_PRINCIPAL_ID is missing: run  sh infra/sign-in.sh register, then  azd provision."
    serve "$id"
    object=$(az ad app show --id "$id" --query id --output tsv)
    tenant=$(az account show --query tenantId --output tsv)

    az ad app update --id "$id" --web-redirect-uris "$url/.auth/login/aad/callback" --identifier-uris "api://$id"

    scope=$(az ad app show --id "$id" --query "api.oauth2PermissionScopes[?value=='user_impersonation'].id | [0]" --output tsv)
    if [ -z "$scope" ]; then
        scope=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen | tr 'A-Z' 'a-z')
        patch "{\"api\": {\"requestedAccessTokenVersion\": 2, \"oauth2PermissionScopes\": [{\"id\": \"$scope\", \"value\": \"user_impersonation\", \"type\": \"User\", \"isEnabled\": true, \"adminConsentDisplayName\": \"Use Sync Engine\", \"adminConsentDescription\": \"Use Sync Engine as the person who is signed in\", \"userConsentDisplayName\": \"Use Sync Engine\", \"userConsentDescription\": \"Use Sync Engine as you\"}]}}"
    fi
    # A client can be named for a scope only once the scope is there.
    client=$(az ad app show --id "$id" --query "api.preAuthorizedApplications[?appId=='$AZURE_CLI'].appId | [0]" --output tsv)
    if [ -z "$client" ]; then
        patch "{\"api\": {\"preAuthorizedApplications\": [{\"appId\": \"$AZURE_CLI\", \"delegatedPermissionIds\": [\"$scope\"]}]}}"
    fi

    known=$(az ad app federated-credential list --id "$id" --query "[?subject=='$principal'].name | [0]" --output tsv)
    if [ -z "$known" ]; then
        az ad app federated-credential create --id "$id" --output none --parameters \
            "{\"name\": \"sync-engine-$principal\", \"issuer\": \"https://login.microsoftonline.com/$tenant/v2.0\", \"subject\": \"$principal\", \"audiences\": [\"api://AzureADTokenExchange\"]}"
    fi
    printf 'People sign in at %s\n' "$url"
}

case "${1:-}" in
register) register ;;
connect) connect ;;
*) stop "say  register  (before the first azd up) or  connect" ;;
esac
