"""``make cost``: prices the counted figures, prints the tables and writes them into docs/cost.md, between its marks.

The words around the tables are written by hand and hold no figure that is made here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from local.cost import DOCS, GB, Parts, Prices, Setup, bill, counted, log_bytes, month, prices, total

PAGE = DOCS / "cost.md"

AS_SHIPPED, LARGE = 512, 2_048

_FRENCH = {
    "an instance for HTTP that never sleeps": "une instance HTTP toujours prête",
    "time of executions": "durée des exécutions",
    "number of executions": "nombre d’exécutions",
    "table requests": "requêtes aux tables",
    "rows kept": "lignes gardées",
    "the host's own blobs": "blobs de l’hôte lui-même",
    "Service Bus, the namespace": "Service Bus, l’espace de noms",
    "Service Bus, operations": "Service Bus, opérations",
    "logs taken in": "journaux",
    "alerts": "alertes",
    "web test of /health": "test web de /health",
    "Key Vault": "Key Vault",
}

_HOMES = (1, 50, 5_000)
_KINDS = (("api", 1, "API, API, lien / link"), ("links", 3, "trois liens / three links"))


def setup_of(counts: str, memory: int = AS_SHIPPED, ready: int = 0) -> Setup:
    """A deployment by the name of its counts ("50 api", "1 links calm")."""
    homes, kind = counts.split()[:2]
    return Setup(counts, int(homes), 3 if kind == "links" else 1, memory, ready)


def months(counts: Mapping[str, Parts], ask: Prices) -> list[str]:
    """What each deployment costs a month: as shipped, in calm, and on large instances."""
    lines = [
        f"| logements / homes | reliés par / connected by | tel que livré / as shipped, {AS_SHIPPED} MB | "
        f"au calme / calm, {AS_SHIPPED} MB | {LARGE:,} MB | "
        f"+ une instance HTTP toujours prête / never sleeping, {AS_SHIPPED} MB |",
        "|---|---|---|---|---|---|",
    ]
    for homes in _HOMES:
        for kind, _, said in _KINDS:
            name = f"{homes} {kind}"
            calm = f"{name} calm"
            cells = [
                _money(_sum(setup_of(name), counts, ask)),
                _money(_sum(setup_of(calm), counts, ask)) if calm in counts else "",
                _money(_sum(setup_of(name, LARGE), counts, ask)),
            ]
            more = _sum(setup_of(name, ready=1), counts, ask) - _sum(setup_of(name), counts, ask)
            lines.append(
                f"| {homes:,} | {said} | {' | '.join(cells)} | {'+' if more >= 0 else '−'}{_money(abs(more))} |"
            )
    return lines


def one_home(counts: Mapping[str, Parts], ask: Prices) -> list[str]:
    """The bill of one home on three platforms, line by line."""
    wanted = [setup_of("1 api"), setup_of("1 api calm"), setup_of("1 api", LARGE)]
    bills = [bill(one, counts[one.counts], ask) for one in wanted]
    lines = [
        f"| poste / item | combien / how much | {AS_SHIPPED} MB | {AS_SHIPPED} MB, au calme / calm | {LARGE:,} MB |",
        "|---|---|---|---|---|",
    ]
    for row in zip(*bills, strict=True):
        cells = " | ".join(_money(one.amount) for one in row)
        lines.append(f"| {_both(row[0].what)} | {row[0].quantity} | {cells} |")
    sums = " | ".join(f"**{_money(sum(line.amount for line in one))}**" for one in bills)
    return [*lines, f"| **en tout / in all** | | {sums} |"]


def per_month(counts: Mapping[str, Parts], ask: Prices) -> list[str]:
    """The counts behind the figures: a month of each deployment."""
    names = [*(f"{homes} {kind}" for homes in _HOMES for kind, _, _ in _KINDS), "1 api calm", "1 links calm"]
    figures = {name: month(setup_of(name), counts[name], ask) for name in names}
    rows: dict[str, Callable[[Mapping[str, float]], float]] = {
        "exécutions / executions": lambda one: total(one, "executions "),
        **{f"– `{name}`": _of(f"executions {name}") for name in _functions(figures.values())},
        "secondes facturées / seconds charged": lambda one: total(one, "seconds "),
        "lectures des tables / table reads": _of("tables reads"),
        "écritures / writes": _of("tables writes"),
        "lots / batches": _of("tables batches"),
        "messages": _of("messages"),
        "appels aux plateformes / calls of platforms": _of("calls"),
        "journaux, Mo / logs, MB": lambda one: log_bytes(one, ask) / 1e6,
    }
    lines = [f"| par mois / a month | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for said, value in rows.items():
        lines.append(f"| {said} | {' | '.join(f'{value(figures[name]):,.0f}' for name in names)} |")
    return lines


def limits(counts: Mapping[str, Parts], ask: Prices) -> list[str]:
    """Which limit binds at how many homes, by arithmetic from 1,000 homes on."""
    lines = [
        "| limite / limit | par API / by API | par liens / by links |",
        "|---|---|---|",
    ]
    for said, most, value in _bounds(ask):
        cells = [_reach(counts, kind, most, value) for kind, _, _ in _KINDS]
        lines.append(f"| {said} | {' | '.join(cells)} |")
    return lines


Value = Callable[[Mapping[str, float]], float]


def _bounds(ask: Prices) -> Sequence[tuple[str, float, Value]]:
    """What is bounded, where, and how to read it from an hour's figures."""
    return (
        (
            "un tour des comptes dépasse ses 5 s / a round of the accounts takes longer than its 5 s",
            5.0,
            _of("longest sync_scheduler_accounts"),
        ),
        (
            "1 GB de journaux par jour, puis plus rien ce jour-là / 1 GB of logs a day, then none that day",
            1.0,
            lambda one: log_bytes(one, ask) * 24 / GB,
        ),
        (
            "40 instances d’un travailleur, 16 messages chacune / 40 instances of the worker, 16 messages each",
            40.0,
            lambda one: one.get("seconds sync_worker", 0.0) / 3_600,
        ),
        (
            "Service Bus Standard, 500 messages/s",
            500.0,
            lambda one: one.get("messages", 0.0) / 3_600,
        ),
        (
            "20 000 requêtes/s d’un compte de stockage / requests a second of a storage account",
            20_000.0,
            lambda one: total(one, "tables ") / 3_600,
        ),
    )


def _reach(counts: Mapping[str, Parts], kind: str, most: float, value: Value) -> str:
    """The homes at which a figure reaches its limit, from the line through 500 and 1,000 homes."""
    low, high = (value(counts[f"{homes} {kind}"]["hour"]) for homes in (500, 1_000))
    if high >= most:
        return f"< 1,000 ({high:,.1f} à / at 1,000)"
    if high - low <= 0.01 * most / 1_000:
        return "–"
    return f"{1_000 + 500 * (most - high) / (high - low):,.0f}"


def _of(name: str) -> Value:
    return lambda one: one.get(name, 0.0)


def _functions(figures: Iterable[Mapping[str, float]]) -> list[str]:
    names: set[str] = set()
    for one in figures:
        names |= {name.partition(" ")[2] for name in one if name.startswith("executions ")}
    return sorted(names)


def _sum(one: Setup, counts: Mapping[str, Parts], ask: Prices) -> float:
    return sum(line.amount for line in bill(one, counts[one.counts], ask))


def _both(what: str) -> str:
    french = _FRENCH[what]
    return french if french == what else f"{french} / {what}"


def _money(amount: float) -> str:
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"


TABLES = {"months": months, "one-home": one_home, "counts": per_month, "limits": limits}


def tables() -> dict[str, str]:
    """Every table by its mark."""
    counts, ask = counted(), prices()
    return {name: "\n".join(make(counts, ask)) for name, make in TABLES.items()}


def written(page: str, made: Mapping[str, str]) -> str:
    """The page with each table between its marks. Raises ``ValueError`` naming a mark that is missing."""
    for name, table in made.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        found = page.count(begin) if end in page else 0
        if found != 1:
            raise ValueError(f"{PAGE.name}: the mark <!-- {name} --> is there {found} times")
        head, _, rest = page.partition(begin)
        page = f"{head}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return page


def main() -> int:
    """Print the tables and write the page."""
    made = tables()
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    print("\n\n".join(made.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
