# Environment of the scripts; source it: . eng/env.sh
# A value that the caller has set already is kept.

cores="$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"

# libtorch: all cores (its own default is half of them), and threads that sleep while they wait. Busy waiting makes small
# operations up to a hundred times slower as soon as something else runs on the machine.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$cores}"
export OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-$OMP_NUM_THREADS}"
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

# glibc hands the memory of every large tensor back to the system and asks for it again; keeping it is about 10 % faster.
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-1073741824}"
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-1073741824}"
export MALLOC_TOP_PAD_="${MALLOC_TOP_PAD_:-67108864}"

export DOTNET_NOLOGO="${DOTNET_NOLOGO:-1}"
export DOTNET_CLI_TELEMETRY_OPTOUT="${DOTNET_CLI_TELEMETRY_OPTOUT:-1}"
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE="${DOTNET_SKIP_FIRST_TIME_EXPERIENCE:-1}"
export DOTNET_CLI_UI_LANGUAGE="${DOTNET_CLI_UI_LANGUAGE:-en}"

# Where the OpenMP build of OpenBLAS is installed but not the system's choice, take it for our processes only.
if [ "$(uname -s)" = Linux ]; then
    for folder in /usr/lib/*-linux-gnu/openblas-openmp; do
        [ -e "$folder/libblas.so.3" ] || continue
        chosen="$(readlink -f "$(dirname "$folder")/libblas.so.3" 2>/dev/null || true)"
        case "$chosen:${LD_LIBRARY_PATH:-}" in
            "$folder"/*|*"$folder"*) ;;
            *) export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ;;
        esac
    done
    unset folder chosen
fi
unset cores
