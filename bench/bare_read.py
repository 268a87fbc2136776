"""The floor for a tap: read all contacts page by page with `requests`, keep nothing. Prints how many there were."""

import sys

import requests

_PATH = "/crm/objects/2026-09/contacts"  # the list endpoint: one request for 100 records and their properties


def main(url: str, token: str) -> int:
    """Follow the pages to the end."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    defined = session.get(f"{url}/crm/properties/2026-09/contacts", timeout=60).json()["results"]
    names = ",".join(one["name"] for one in defined)
    count, after = 0, "0"
    while after:
        answer = session.get(url + _PATH, params={"limit": "100", "properties": names, "after": after}, timeout=60)
        answer.raise_for_status()
        page = answer.json()
        count += len(page["results"])
        after = page.get("paging", {}).get("next", {}).get("after")
    return count


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2]))
