# What this is: nodes of a cluster that start with files which a restore made for them; source it.
# Rests on: tests/live/cluster/_cluster.sh.
# Does not: make the files.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"

# captured N: cluster a of N shards, filled, as snapshot ID; what it holds in a.json
captured() {
    make_repo
    export RESPITE_IDENTITY=$PWD/sheet
    cluster_start a "$1" 0
    cluster_fill a
    cluster_oracle a >a.json
    KEYS=$(cluster_keys a)
    take "$(cluster_uri a)" --source c
    cluster_stop a
}

# loaded NAME DIR: a cluster of as many nodes as DIR has files dump-FIRST-LAST.rdb; each has these slots and loads its file
loaded() {
    local name=$1 files i n ports ids=() slots=() j file
    mapfile -t files < <(find "$2" -name 'dump-*-*.rdb' | sort -t- -k2n)
    n=${#files[@]}
    read -r -a ports <<<"$(python3 "$CLUSTER_PY" free "$n")"
    for ((i = 0; i < n; i++)); do
        ids+=("$(printf '%040x' $((i + 1)))")
        file=${files[i]##*/dump-}
        slots+=("${file%.rdb}")
    done
    CLUSTER_N[$name]=$n CLUSTER_PRIMARIES[$name]=$n CLUSTER_ENGINE[$name]=${ENGINE[*]}
    for ((i = 0; i < n; i++)); do
        mkdir -p "$name/$i"
        cp "${files[i]}" "$name/$i/dump.rdb"
        for ((j = 0; j < n; j++)); do
            echo "${ids[j]} 127.0.0.1:${ports[j]}@$((ports[j] + 10000)) $([ $i != $j ] || echo myself,)master - 0 0 $((j + 1)) connected ${slots[j]}"
        done >"$name/$i/nodes.conf"
        echo "vars currentEpoch $n lastVoteEpoch 0" >>"$name/$i/nodes.conf"
        cluster_spawn "$name/$i" "${ports[i]}"
    done
    for ((i = 0; i < n; i++)); do until_true "$name/$i does not answer" answers "$name/$i"; done
    for ((i = 0; i < n; i++)); do until_true "$name/$i is not ready" cluster_sees_all "$name" "$i"; done
}
# same NAME: it holds what a held
same() {
    [ "$(cluster_keys "$1")" = "$KEYS" ] || die "$1 holds $(cluster_keys "$1") keys, not $KEYS"
    cluster_oracle "$1" >"$1.json"
    oracles_equal a.json "$1.json"
}
