"""Who gets in, and as whom: on Azure by the platform's word, on one's own machine by a code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.access import ALL_OWNERS, NOBODY, Person, Right, Role
from shared.domain.portfolio import Owner
from shared.memory.tables import MemoryTables
from shared.ports.stores import Row
from shared.state.notes import NoteStore
from shared.state.people import KEPT, PeopleStore
from shared.web.cookies import cookie, cookies
from shared.web.local_keys import STAYS_IN, LocalKeys
from shared.web.sign_in import LOCAL, SESSION, AzureSignIn, LocalSignIn

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
ID, NAME, IDP = "x-ms-client-principal-id", "x-ms-client-principal-name", "x-ms-client-principal-idp"
KEY = "k" * 24


async def people(*owners: Owner) -> PeopleStore:
    store = PeopleStore(MemoryTables(lambda: NOW))
    await store.put(owners)
    return store


async def azure(*owners: Owner, enabled: bool = True, operators: frozenset[str] = frozenset()) -> AzureSignIn:
    return AzureSignIn(await people(*owners), enabled, operators)


CLAIRE = Owner("claire", "Claire@example.org", Role.OPERATOR, language="fr")
MARC = Owner("marc", "6f1c0000-0000-4000-8000-000000000001", Role.VIEWER)


async def test_without_the_platforms_word_its_headers_are_worth_nothing() -> None:
    headers = {ID: "Claire@example.org", NAME: "Claire@example.org", IDP: "aad"}
    assert await (await azure(CLAIRE, enabled=False)).person(headers, NOW) is NOBODY
    assert (await azure(enabled=False)).where == "/sign-in"


async def test_without_the_id_nobody_is_anybody() -> None:
    assert await (await azure(CLAIRE)).person({NAME: "claire@example.org", IDP: "aad"}, NOW) is NOBODY


async def test_somebody_is_known_by_id() -> None:
    found = await (await azure(CLAIRE, MARC)).person({ID: MARC.principal.upper()}, NOW)
    assert found.roles == {"marc": Role.VIEWER}
    assert found.has(Right.LOOK)
    assert not found.has(Right.DECIDE)


@pytest.mark.parametrize(
    ("provider", "known"), [("aad", True), ("google", True), ("github", False), ("", False)]
)
async def test_a_name_counts_only_where_the_provider_vouches_for_it(provider: str, known: bool) -> None:
    found = await (await azure(CLAIRE)).person(
        {ID: "some-guid", NAME: "claire@example.org", IDP: provider}, NOW
    )
    assert bool(found.roles) is known
    assert found.name == "claire@example.org"


async def test_a_stranger_who_signed_in_has_no_role() -> None:
    found = await (await azure(CLAIRE)).person({ID: "other"}, NOW)
    assert found == Person("other")
    assert not found.has(Right.LOOK)


async def test_an_operator_of_the_settings_decides_for_all_while_no_portfolio_names_anybody() -> None:
    door = await azure(operators=frozenset({"dev@example.org"}))
    found = await door.person({ID: "guid", NAME: "Dev@Example.org", IDP: "aad"}, NOW)
    assert found.everywhere
    assert found.decides("whoever")


async def test_a_role_that_was_taken_away_is_gone_with_the_next_import() -> None:
    store = await people(CLAIRE, Owner("marc", "claire@example.org", Role.VIEWER))
    found = await store.find("CLAIRE@example.org", NOW)
    assert found is not None
    assert found.roles == {"claire": Role.OPERATOR, "marc": Role.VIEWER}
    await store.put([Owner("claire", "new@example.org", Role.OPERATOR)])
    after = await store.find("claire@example.org", NOW)
    assert after is not None
    assert after.roles == {"marc": Role.VIEWER}


class Between(MemoryTables):
    """Runs something once, between the reading of the people and the writing of one."""

    then: Callable[[], Awaitable[None]] | None = None

    async def update(self, table: str, row: Row, etag: str) -> str:
        then, self.then = self.then, None
        if then is not None:
            await then()
        return await super().update(table, row, etag)


async def test_a_role_taken_away_meanwhile_does_not_come_back_with_another_import() -> None:
    tables = Between(lambda: NOW)
    one, other = PeopleStore(tables), PeopleStore(tables)
    await one.put([CLAIRE, Owner("marc", CLAIRE.principal, Role.VIEWER)])
    tables.then = lambda: other.put([Owner("claire", "new@example.org", Role.OPERATOR)])
    await one.put([Owner("marc", CLAIRE.principal, Role.OPERATOR)])
    found = await PeopleStore(tables).find(CLAIRE.principal, NOW)
    assert found is not None
    assert found.roles == {"marc": Role.OPERATOR}


async def test_another_process_learns_of_it_within_seconds() -> None:
    tables = MemoryTables(lambda: NOW)
    one, other = PeopleStore(tables), PeopleStore(tables)
    await one.put([CLAIRE])
    assert await other.find(CLAIRE.principal, NOW) is not None
    await one.put([Owner("claire", "new@example.org", Role.OPERATOR)])
    after = await other.find(CLAIRE.principal, NOW + KEPT)
    assert after is not None
    assert not after.roles


def test_who_looks_after_all_owners() -> None:
    keeper = Person("Odile", {ALL_OWNERS: Role.OPERATOR})
    assert keeper.everywhere
    assert keeper.sees("anybody")
    viewer = Person("Vera", {ALL_OWNERS: Role.VIEWER, "claire": Role.OPERATOR})
    assert not viewer.everywhere
    assert viewer.decides("claire")
    assert not viewer.decides("marc")
    assert viewer.sees("marc")


def keys() -> LocalKeys:
    return LocalKeys(KEY, NoteStore(MemoryTables(lambda: NOW)))


async def test_a_code_works_once() -> None:
    mine = keys()
    code = await mine.code()
    assert await mine.enter(f" {code.lower()} ")
    assert not await mine.enter(code)
    assert await mine.code() != code
    assert await mine.enter(await mine.code())


@pytest.mark.parametrize("typed", ["", "-", "AAAAA-AAAAA", "é" * 10, "\0", "A" * 10_000])
async def test_any_other_code_does_not(typed: str) -> None:
    assert not await keys().enter(typed)


async def test_of_two_browsers_with_one_code_one_gets_in() -> None:
    mine = keys()
    code = await mine.code()
    assert sorted(await asyncio.gather(mine.enter(code), mine.enter(code))) == [False, True]


async def test_a_cookie_opens_until_it_is_too_old_and_only_under_its_key() -> None:
    mine = keys()
    value = mine.session(NOW, "nonce")
    assert mine.is_session(value, NOW + STAYS_IN - timedelta(seconds=1))
    assert not mine.is_session(value, NOW + STAYS_IN)
    assert not LocalKeys("o" * 24, NoteStore(MemoryTables(lambda: NOW))).is_session(value, NOW)
    assert not mine.is_session(value.replace("nonce", "other"), NOW)


@pytest.mark.parametrize("value", ["", ".", "..", "1", "é.é.é", "99999999999999999999.x.y", "-1.x.y"])
async def test_a_cookie_that_was_made_up_opens_nothing(value: str) -> None:
    assert not keys().is_session(value, NOW)


async def test_on_this_machine_the_cookie_or_the_token_is_the_one_person_there_is() -> None:
    mine = keys()
    door = LocalSignIn(mine)
    session = mine.session(NOW, "n")
    assert await door.person({"cookie": f"a=b; {SESSION}={session}"}, NOW) is LOCAL
    assert await door.person({"authorization": f"Bearer {mine.token}"}, NOW) is LOCAL
    assert await door.person({"authorization": "Bearer x"}, NOW) is NOBODY
    assert await door.person({ID: "claire@example.org"}, NOW) is NOBODY


def test_cookies_are_kept_from_scripts_and_other_sites() -> None:
    assert cookie("a", "b", age=5, secure=True) == "a=b; Path=/; Max-Age=5; HttpOnly; SameSite=Strict; Secure"
    assert cookies({"cookie": "a=b; c=d"}) == {"a": "b", "c": "d"}
    assert cookies({"cookie": "a=b; \x00=;;;==,[]"}) is not None
