"""Small programs that stand in for engines, well-behaved and other, and where the real ones are."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

FAIRY_PLAYER = '''
"""A UCI engine that plays the first legal move by Fairy-Stockfish's own rules; MODE says what goes wrong."""
import os, sys, time
import pyffish

MODE = sys.argv[1] if len(sys.argv) > 1 else "well"
variant, moves = "chess", []


def say(text):
    print(text, flush=True)


def legal():
    over, _ = pyffish.is_immediate_game_end(variant, pyffish.start_fen(variant), moves)
    return [] if over else pyffish.legal_moves(variant, pyffish.start_fen(variant), moves)


def search(words):
    chosen = words[words.index("searchmoves") + 1:] if "searchmoves" in words else legal()
    if "depth" in words:
        return score(chosen)
    if MODE == "crash":
        os._exit(3)
    if MODE == "hang":
        time.sleep(60)
    if MODE == "endless":
        sys.stdout.write("x" * 3_000_000)
    if MODE == "binary":
        sys.stdout.flush()
        sys.stdout.buffer.write(bytes(range(256)) * 100 + b"\\n")
    if MODE == "chatter":
        for _ in range(10_000):
            print("info string " + 60 * "chatter ")
    if MODE == "illegal":
        say("bestmove h8h1")
    else:
        say("bestmove " + (chosen or ["(none)"])[0])


def score(chosen):
    if chosen:
        after = [*moves, chosen[0]]
        over, value = pyffish.is_immediate_game_end(variant, pyffish.start_fen(variant), after)
        if not over:
            value = pyffish.game_result(variant, pyffish.start_fen(variant), after)
        say("info depth 2 score " + ("cp 0" if value == 0 else "mate 1" if value < 0 else "mate -1"))
    say("bestmove " + (chosen or ["(none)"])[0])


for line in sys.stdin:
    words = line.split()
    if words[:1] == ["uci"]:
        if MODE == "no handshake":
            os._exit(1)
        say("id name Stand-in")
        say("option name VariantPath type string default <empty>")
        say("option name UCI_Variant type combo default chess var chess")
        say("uciok")
    elif words[:1] == ["isready"]:
        say("readyok")
    elif words[:3] == ["setoption", "name", "VariantPath"]:
        pyffish.load_variant_config(open(words[4]).read().replace("connectN = 4", "connectN = 3")
                                    if MODE == "other rules" else open(words[4]).read())
    elif words[:3] == ["setoption", "name", "UCI_Variant"]:
        variant = words[4]
        say(f"info string variant {variant} startpos {pyffish.start_fen(variant)}")
    elif words[:1] == ["position"]:
        moves = words[3:]
    elif words[:2] == ["go", "perft"]:
        for move in legal():
            say(f"{move}: 1")
        say("")
        say("Nodes searched: 1")
    elif words[:1] == ["go"]:
        search(words)
    elif words[:1] == ["quit"]:
        break
'''

GTP_PLAYER = '''
"""A GTP engine that plays the moves of its first argument, and logs what it is told in its second."""
import sys, time

answers = sys.argv[1].split(",")
log = open(sys.argv[2], "a")
for line in sys.stdin:
    number, command, *words = line.split()
    log.write(" ".join([command, *words]) + "\\n")
    log.flush()
    if command == "list_commands":
        print(f"={number} boardsize\\nclear_board\\nkomi\\nplay\\ngenmove\\n", flush=True)
    elif command == "protocol_version":
        print(f"noise\\n\\n={number} 2\\n", flush=True)
    elif command == "genmove":
        answer = answers.pop(0)
        if answer == "hang":
            time.sleep(60)
        if answer == "crash":
            sys.exit(5)
        print(f"={number} {answer}\\n", flush=True)
    elif command == "play" and words[1] == "c3":
        print(f"?{number} illegal move\\n", flush=True)
    elif command == "quit":
        break
    else:
        print(f"={number} {'Stand-in' if command == 'name' else ''}\\n", flush=True)
'''


def program(folder: Path, source: str, *arguments: str) -> str:
    """A command that runs some Python."""
    path = folder / "engine.py"
    path.write_text(source)
    return shlex.join([sys.executable, str(path), *arguments])


def installed(name: str) -> str:
    """Path of a real engine; the test is left out where it isn't installed."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/games"]))
    if path is None:
        pytest.skip(f"{name} isn't installed (Debian: apt-get install {name})")
    return path
