#!/usr/bin/env python3
"""Keeps the events of all workshops in a SQLite file, and says who came, week by week. Nothing beside Python is needed.

  WORKSHOPS_URL=http://localhost:3000 WORKSHOPS_TOKEN=… python3 feed-to-sqlite.py workshops.db

The token is an analyst's. Run it as often as you like: it goes on where it was, also after it was ended in the middle.
"""
import json
import os
import sqlite3
import sys
import urllib.parse
import urllib.request

url, token = os.environ["WORKSHOPS_URL"], os.environ["WORKSHOPS_TOKEN"]
database = sqlite3.connect(sys.argv[1] if len(sys.argv) > 1 else "workshops.db")
database.executescript(
    """
    create table if not exists events (
      event_id text primary key, workshop_id integer, version integer, type text, at text, data text);
    create table if not exists place (cursor text);
    """
)


def page(after):
    query = {"limit": 1000, **({"after": after} if after else {})}
    request = urllib.request.Request(
        f"{url}/api/feed?{urllib.parse.urlencode(query)}", headers={"authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


while True:
    (cursor,) = database.execute("select max(cursor) from place").fetchone()
    found = page(cursor)
    # Events and cursor in one transaction: neither is there without the other. One that comes again changes nothing.
    with database:
        database.executemany(
            "insert or ignore into events values (?, ?, ?, ?, ?, ?)",
            [
                (e["eventId"], e["workshopId"], e["version"], e["type"], e["at"], json.dumps(e["data"]))
                for e in found["items"]
            ],
        )
        database.execute("delete from place")
        database.execute("insert into place values (?)", (found["nextCursor"],))
    if not found["items"]:
        break

print("week      people  workshops")
for row in database.execute(
    """
    select strftime('%Y-W%W', at), count(distinct json_extract(data, '$.userId')), count(distinct workshop_id)
    from events where type = 'user-joined' group by 1 order by 1
    """
):
    print("%-9s %6d %10d" % row)
