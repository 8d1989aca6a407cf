#!/usr/bin/env bash
# Builds everything and runs all tests:  ./test.sh [--all] [--filter EXPRESSION]
#   --all      also the tests of category Long
#   --filter   an expression of 'dotnet test --filter', added to the rest
# The last line is the sum over all test projects. SSL_DATA=DIR names the folder of public data sets that some tests read;
# without it they are skipped. UseStandIns=true|false forces where the dependencies come from (eng/dependencies.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. eng/env.sh

filter="TestCategory!=Long"
while [ $# -gt 0 ]; do
    case "$1" in
        --all) filter="" ;;
        --filter) shift; filter="${filter:+($filter)&}(${1:?--filter needs an expression})" ;;
        -h|--help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "test.sh: unknown argument '$1'; see --help" >&2; exit 2 ;;
    esac
    shift
done

bash eng/dependencies.sh
. eng/env.sh

results="$PWD/artifacts/test-results"
rm -rf "$results"
mkdir -p "$results"

standins="${UseStandIns:-$(sed -n "s/.*<UseStandIns[^>]*>\(true\|false\)<.*/\1/p" artifacts/dependencies.props 2>/dev/null || true)}"
projects=($(grep -l "<IsTestProject>true" tests/*/*.csproj))
if [ "$standins" = true ]; then projects+=($(grep -l "<IsTestProject>true" standins/tests/*/*.csproj)); fi

passed=0; failed=0; skipped=0
for solution in SslMLNet.sln $(printf '%s\n' "${projects[@]}" | grep '^standins/' || true); do
    echo "building $solution ..."
    if ! bash eng/build.sh "$solution"; then
        echo "0 passed, 1 failed"
        exit 1
    fi
done

# One number of the run's summary, <Counters total="12" executed="11" passed="11" failed="0" ... />.
counter() { grep -o '<Counters [^>]*' "$1" | grep -o " $2=\"[0-9]*\"" | grep -o '[0-9]*' || echo 0; }

for project in "${projects[@]}"; do
    name="$(basename "$project" .csproj)"
    code=0
    dotnet test "$project" -c Release --no-build --nologo -v quiet ${filter:+--filter "$filter"} \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" --results-directory "$results" < /dev/null || code=$?
    file="$results/$name.trx"
    project_failed=0
    if [ -f "$file" ]; then
        project_passed="$(counter "$file" passed)"
        project_failed=$(( $(counter "$file" failed) + $(counter "$file" error) + $(counter "$file" timeout) + $(counter "$file" aborted) ))
        passed=$(( passed + project_passed ))
        failed=$(( failed + project_failed ))
        skipped=$(( skipped + $(counter "$file" total) - project_passed - project_failed ))
    fi
    if [ "$code" != 0 ] && [ "$project_failed" = 0 ]; then
        echo "$name: the run broke off (exit code $code)"
        failed=$(( failed + 1 ))
    fi
done

if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
    echo "no tests ran"
    failed=1
fi
if [ "$skipped" = 0 ]; then echo "$passed passed, $failed failed"; else echo "$passed passed, $failed failed, $skipped skipped"; fi
[ "$failed" = 0 ]
