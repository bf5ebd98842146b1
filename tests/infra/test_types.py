"""Resource types, versions and properties against Azure's own description of them."""

from __future__ import annotations

import pytest

from tests.infra.bicep import infra, read
from tests.infra.types import FOLDER, wrong_resources

FILES = infra()

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no ../shared here: resource types cannot be checked"
)


@pytest.mark.parametrize("name", FILES)
def test_every_property_is_known_to_azure(name: str) -> None:
    assert wrong_resources(read(FILES[name])) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "storage.bicep",
            "allowSharedKeyAccess",
            "allowSharedKeysAccess",
            "allowSharedKeysAccess is not known",
        ),
        ("storage.bicep", "  kind: 'StorageV2'\n", "", "account.kind is missing"),
        ("storage.bicep", "storageAccounts@2026-04-01' = {", "storageAccounts@2026-04-02' = {", "no type"),
        ("servicebus.bicep", "maxDeliveryCount: 10", "maxDeliveryCount: '10'", "'10' is not expected"),
        ("servicebus.bicep", "requiresSession: false", "requiresSession: 'no'", "'no' is not expected"),
        ("servicebus.bicep", "tier: 'Standard'", "tier: 'Standart'", "'Standart' is not expected"),
        (
            "app.bicep",
            "redirectToProvider: 'azureactivedirectory'",
            "redirectToProvider: true",
            "of the expected kind",
        ),
        ("app.bicep", "name: 'authsettingsV2'", "name: 'authsettingsV3'", "'authsettingsV3' is none of"),
        ("app.bicep", "type: 'UserAssigned'\n", "type: 'UserAssignd'\n", "'UserAssignd' is not expected"),
        ("app.bicep", "excludedPaths:", "excludePaths:", "excludePaths is not known"),
        (
            "insights.bicep",
            "DisableIpMasking: false",
            "ConnectionString: 'x'",
            "ConnectionString is only read",
        ),
        ("alerts.bicep", "          timeAggregation: 'Maximum'\n", "", "timeAggregation is missing"),
        ("alerts.bicep", "      componentId: insightsId\n", "", "componentId is missing"),
        ("alerts.bicep", "Id: place }]", "Ids: place }]", "Ids is not known"),
        ("budget.bicep", "amount: amount", "amount: [amount]", "[amount] is not of the expected kind"),
    ],
)
def test_what_azure_does_not_know_is_found(name: str, old: str, new: str, said: str) -> None:
    assert old in FILES[name]
    assert said in str(wrong_resources(read(FILES[name].replace(old, new, 1))))
