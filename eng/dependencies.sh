#!/usr/bin/env bash
# Chooses where the APIs of ML.NET and TorchSharp come from, and sees to the native prerequisites of the stand-ins.
#
#   the feed has the packages of Directory.Packages.props   -> the real packages
#   the feed answers that they do not exist (NU1101/NU1102) -> our stand-ins, compiled from standins/
#   the feed cannot be reached, or anything else goes wrong -> an error
#
# Writes artifacts/dependencies.props, which Directory.Build.props imports. The answer is kept until the package versions or the
# NuGet configuration change. UseStandIns=true|false in the environment forces the choice. See docs/decisions/0001.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. eng/env.sh

fail() { printf 'dependencies: %s\n' "$*" >&2; exit 1; }

command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing. Install it (https://dot.net/download) and run this again."

props=artifacts/dependencies.props
key_file=artifacts/dependencies.key
native_package="TorchSharp-cpu"
if [ "${SslTorch:-cpu}" = cuda ]; then native_package="TorchSharp-cuda-linux"; fi

# What the answer depends on: the versions that we ask for, and which feeds NuGet asks.
choice_key() {
    {
        cat Directory.Packages.props
        echo "$native_package ${NUGET_PACKAGES:-}"
        local folder="$PWD" name
        while :; do
            for name in nuget.config NuGet.config NuGet.Config; do
                if [ -f "$folder/$name" ]; then cat "$folder/$name"; fi
            done
            if [ "$folder" = / ]; then break; fi
            folder="$(dirname "$folder")"
        done
        for name in "${HOME:-/root}/.nuget/NuGet/NuGet.Config" "${HOME:-/root}"/.nuget/config/*.config; do
            if [ -f "$name" ]; then cat "$name"; fi
        done
    } | cksum
}

write_props() {
    mkdir -p artifacts
    cat > "$props.$$" <<XML
<Project>
  <!-- Written by eng/dependencies.sh. UseStandIns in the environment or on the command line wins. -->
  <PropertyGroup>
    <UseStandIns Condition="'\$(UseStandIns)' == ''">$1</UseStandIns>
  </PropertyGroup>
</Project>
XML
    mv -f "$props.$$" "$props"
    choice_key > "$key_file.$$"
    mv -f "$key_file.$$" "$key_file"
}

# A project of its own that asks for exactly our versions: nothing of the repository takes part in it.
probe_feed() {
    local probe=artifacts/probe id version log
    rm -rf "$probe"
    mkdir -p "$probe"
    for name in Directory.Build.props Directory.Build.targets Directory.Packages.props; do echo '<Project />' > "$probe/$name"; done
    {
        echo '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework><NuGetAudit>false</NuGetAudit></PropertyGroup><ItemGroup>'
        for id in Microsoft.ML Microsoft.ML.ImageAnalytics TorchSharp "$native_package"; do
            version="$(sed -n "s/.*PackageVersion Include=\"$id\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props)"
            [ -n "$version" ] || fail "Directory.Packages.props names no version of $id."
            echo "<PackageReference Include=\"$id\" Version=\"[$version]\" />"
        done
        echo '</ItemGroup></Project>'
    } > "$probe/Probe.csproj"
    log="$probe/restore.log"
    if dotnet restore "$probe/Probe.csproj" > "$log" 2>&1 < /dev/null; then
        echo real
    elif grep -qE 'error (NU1301|NU1300|NU1303|NU1304|NU1305)' "$log"; then
        grep -E 'error NU' "$log" | sort -u | head -4 | sed 's/^.*error /  /' >&2
        fail "the NuGet feed cannot be reached, so it is not known whether it has the packages. Check the network and 'dotnet nuget list source', then run this again (UseStandIns=true|false skips the question)."
    elif grep -qE 'error (NU1101|NU1102)' "$log" && ! grep -E 'error NU' "$log" | grep -qvE 'error (NU1101|NU1102)'; then
        grep -hoE 'error NU110[12]: Unable to find package [^ ]+' "$log" | sed 's/.*package //; s/\.$//' | sort -u | tr '\n' ' ' > "$probe/missing.txt"
        echo standins
    else
        tail -15 "$log" >&2
        fail "restoring the probe project failed for another reason (above); the log is $log."
    fi
}

choose() {
    if [ -n "${UseStandIns:-}" ]; then
        case "$UseStandIns" in
            true|false) echo "$UseStandIns" ;;
            *) fail "UseStandIns must be 'true' or 'false', got '$UseStandIns'." ;;
        esac
        return
    fi
    if [ -f "$props" ] && [ -f "$key_file" ] && [ "$(choice_key)" = "$(cat "$key_file")" ]; then
        sed -n "s/.*<UseStandIns[^>]*>\(true\|false\)<.*/\1/p" "$props"
        return
    fi
    local answer
    answer="$(probe_feed)" || exit 1
    if [ "$answer" = real ]; then
        write_props false
        echo "dependencies: the feed has the packages; using the real ML.NET and TorchSharp." >&2
        echo false
    else
        if [ "$(uname -s)" != Linux ]; then
            fail "this feed lacks $(cat artifacts/probe/missing.txt)and the stand-ins need Linux. Use the public feed (https://www.nuget.org) on $(uname -s)."
        fi
        write_props true
        echo "dependencies: this feed lacks $(cat artifacts/probe/missing.txt| sed 's/ $//; s/ /, /g') in the versions of Directory.Packages.props; using our stand-ins (standins/README.md)." >&2
        echo true
    fi
}

use_standins="$(choose)" || exit 1
if [ "$use_standins" = true ]; then
    [ "$(uname -s)" = Linux ] || fail "the stand-ins are not supported on $(uname -s). Use the public feed, which has the real packages."
    bash eng/native.sh
fi
