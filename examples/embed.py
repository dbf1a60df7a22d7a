"""Use an agent from your own program: ONNX inference and search, without torch.

python examples/embed.py models/zoo/connect4.onnx
"""

import sys

import games
from selfplay import Player

player = Player.load(sys.argv[1], simulations=64)
position = games.start(games.load("connect4"))
while not position.is_over:
    analysis = player.analyse(position)
    print(position)
    move = position.action_text(analysis.action)
    print(f"{move}, value for the player to move {analysis.value_to_play:+.2f}\n")
    position = position.play(analysis.action)
print(position)
print("returns by seat:", position.returns)
