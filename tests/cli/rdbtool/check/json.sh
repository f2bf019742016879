# One JSON object a file and a line.
# shellcheck disable=SC2015,SC2164
fail() { echo "line $1" && exit 1; }
cd "$DATA"
rc=0
"$RDBTOOL" check --json hand/keys.rdb bad/crc-wrong.rdb bad/duplicate-key.rdb bad/not-rdb-text.rdb bad/cut-in-list.rdb bad/vcs-kind-2.rdb \
    >"$HOME/out" 2>"$HOME/err" || rc=$?
[ $rc = 23 ] && [ "$(wc -l <"$HOME/out")" = 6 ] || fail $LINENO
"$RDBTOOL" check --json --quick --threads 1 hand/empty-01.rdb >>"$HOME/out"
"$RDBTOOL" check --json --limit 1 hand/keys.rdb >>"$HOME/out"
python3 - "$HOME/out" <<'END'
import json, sys
sound, crc, twice, text, cut, vcs, quick, limit = [json.loads(l) for l in open(sys.argv[1])]
assert sound == {"file": "hand/keys.rdb", "findings": [], "ok": True, "findings_total": 0, "keys": 11, "bytes": sound["bytes"],
                 "complete": True, "checksum": "ok", "values_checked": True, "duplicates_checked": True, "filtered": False}, sound
assert not crc["ok"] and crc["checksum"] == "wrong" and crc["findings"][0]["kind"] == "checksum" and crc["findings"][0]["offset"] == 31
assert "key" not in crc["findings"][0]
(f,) = twice["findings"]
assert f["kind"] == "duplicate-key" and f["db"] == 0 and f["key"] and f["reason"], f
assert not text["ok"] and "not an RDB file" in text["error"] and text["findings"] == []
assert not cut["complete"] and cut["checksum"] == "not reached" and not cut["duplicates_checked"]
assert cut["findings"][0]["key"] == "bad" and cut["findings"][0]["kind"] == "truncated"
assert not vcs["ok"] and vcs["findings"][0]["offset"] == 0
assert quick["ok"] and quick["checksum"] == "none" and not quick["values_checked"] and not quick["duplicates_checked"]
assert limit["ok"] and limit["filtered"] and limit["keys_checked"] == 1 and limit["keys"] == 11
END
