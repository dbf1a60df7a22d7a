"""Use an agent from your own program, without torch: the bare network, and the network with a search.

    python examples/embed_python.py models/zoo/connect4.onnx examples/connect4_positions.txt

Prints a line for each position: its moves, what the policy plays, what 64 simulations play and think.
"""

import sys
from pathlib import Path

import numpy
import onnxruntime

import games
from selfplay import Player

agent, positions = sys.argv[1:3]
session = onnxruntime.InferenceSession(agent, providers=["CPUExecutionProvider"])
player = Player.load(agent, simulations=64)

for moves in Path(positions).read_text().split():
    position = games.start(games.load("connect4"))
    for letter in moves.strip("-"):
        position = position.play_text(letter)

    # The bare network needs an observation only; on a board alone on its canvas, actions are the network's.
    seen = position.observation()
    (logits,) = session.run(["logits"], {"planes": seen.planes, "rules": seen.rules})
    policy_move = int(numpy.where(seen.legal, logits, -numpy.inf)[0].argmax())

    analysis = player.analyse(position)
    letters = [position.action_text(action)[0] for action in (policy_move, analysis.action)]
    print(moves, *letters, f"{analysis.value_to_play:+.2f}")
