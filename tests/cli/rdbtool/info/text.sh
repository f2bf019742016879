# The report for people.
# shellcheck disable=SC2164
cd "$DATA/redis-7.2.6"
"$RDBTOOL" info cluster.rdb --top 3 --now 1800000000000
