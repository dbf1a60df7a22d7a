#!/usr/bin/env bash
# Everything that needs a CUDA device, in one go: check the device path, measure it, train Connect Four for ten minutes and
# measure the agent, learn four other games for five minutes each and let them meet tree search, meta-learn for nine.
# Writes JSON and the agents into the folder given (default: benchmarks/results/gpu).
#
#   bash benchmarks/gpu.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-benchmarks/results/gpu}
python=${PYTHON:-python3}
mkdir -p "$out"

"$python" -c 'import torch; assert torch.cuda.is_available(), "no CUDA device"; print(torch.cuda.get_device_name())'
"$python" -m pytest -q tests/models tests/selfplay/test_learner.py
"$python" -m selfplay bench network selfplay learner --batch 1024 --json "$out/bench.json"
"$python" -m selfplay bench meta --json "$out/step.json"
large=(--set selfplay.games=4096 --set selfplay.threads=2 --set selfplay.advances=128
    --set learner.batch_size=2048 --set selfplay.cache_megabytes=512)
"$python" -m selfplay train connect4 --run "$out/run" --minutes 10 --json "$out/training.json" "${large[@]}"
"$python" -m selfplay export "$out/run" --output "$out/connect4.onnx"
"$python" -m selfplay evaluate "$out/connect4.onnx" --suite tests/golden/connect4_positions.jsonl \
    --simulations 64 --json "$out/evaluation.json"
for game in gomoku-9x9 othello-6x6 hex-7 breakthrough-6x6; do
    "$python" -m benchmarks.strength "$game" --minutes 5 "${large[@]}" --runs "$out/strength" --results "$out/strength"
done
"$python" -m selfplay meta-train --run "$out/meta" --minutes 9 --set selfplay.games=512 \
    --set tasks.support=128 --set tasks.query=128
