"""The tables, by name, and what their keys mean. They are part of the stored format: never rename one."""

SITES = "Sites"  # site | row kind and id
RESERVATIONS = "Reservations"  # platform account | reservation id: the index
INBOX = "Inbox"  # account and day | delivery: raw webhook bodies; QUARANTINE holds what nobody could process
FEEDS = "Feeds"  # shard of 100 listings | listing, and one "~pass" row for the whole shard
DUE = "Due"  # shard | site with work or waiting intents
ACCOUNTS = "Accounts"  # platform account | units, counters, mode, leases; DIRECTORY lists everything
RUNS = "Runs"  # day | run: sync reports
FEED_READS = "FeedReads"  # listing | version: which version of our export its peer fetched, and when

DIRECTORY = "~directory"
QUARANTINE = "~quarantine"
REPLAYED = "~replayed"

READER = 1
"""What this release can read. A site whose head asks for more may be closed, never opened (rule 27)."""
