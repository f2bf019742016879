# Help, version, completion: on stdout, exit status 0, and every option in them.
[ "$("$RDBTOOL" --version | head -n 1 | cut -d ' ' -f 1)" = rdbtool ]
"$RDBTOOL" --help | grep -q '^  check FILE\.\.\. '
for verb in info check export get; do
    "$RDBTOOL" help "$verb" >one
    "$RDBTOOL" "$verb" --help | cmp - one
    grep -q -- --threads one
    grep -q -- "^usage: rdbtool $verb " one
done
"$RDBTOOL" __options >options
[ "$(wc -l <options)" -ge 27 ]
for shell in bash zsh; do
    "$RDBTOOL" __completion $shell >completion
    cut -f 1 options | while read -r name; do grep -q -- "$name" completion || { echo "$shell: no $name" && exit 1; }; done
done
bash -n <("$RDBTOOL" __completion bash)
