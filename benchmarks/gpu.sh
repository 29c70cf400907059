#!/usr/bin/env bash
# All that needs a GPU, on a machine that is there for a while: benchmarks/gpu.sh FOLDER [PART ...]
#
# Parts: tests, reference, zoo, rest; unless some are named, all, the most telling first. Each leaves FOLDER/PART.log,
# and if it measures FOLDER/PART.json. One that fails stops no other; the exit status is the number of those that failed.
set -uo pipefail

[ $# -gt 0 ] || { echo "usage: benchmarks/gpu.sh FOLDER [tests|reference|zoo|rest ...]" >&2; exit 2; }
mkdir -p "$1" || exit 2
folder=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.." || exit 2

measure() { python -m pytest "${@:2}" --device cuda -rs --benchmark-json="$folder/$1.json"; }

part() {
    case $1 in
        tests) python -m pytest tests -k cuda -rs ;;
        reference) measure reference benchmarks/test_same_work.py benchmarks/test_reference.py ;;
        zoo) measure zoo benchmarks/test_zoo.py ;;
        rest) measure rest benchmarks/test_scaling.py benchmarks/test_data.py benchmarks/test_startup.py ;;
        *) echo "there is no part '$1'"; return 2 ;;
    esac
}

failed=0
[ $# -gt 0 ] || set -- tests reference zoo rest
for name in "$@"; do
    began=$SECONDS
    part "$name" >"$folder/$name.log" 2>&1
    status=$?
    [ $status -eq 0 ] || failed=$((failed + 1))
    echo "$name: exit status $status after $((SECONDS - began)) s"
done
exit $failed
