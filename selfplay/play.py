"""A game against an agent in the terminal, or through a pipe.

At a terminal a wrong line is explained and asked again. From a pipe the moves come line by line: a wrong one
raises, and the end of the input ends the game.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from rich.console import Console
from rich.text import Text

from games import MoveError, Position, UserError, Variant, beginning, start, swap_action
from games.notation import column_letter
from games.rules import FIRST, SECOND
from games.state import LAST
from models.format import zoo_file
from selfplay import record, telling
from selfplay.describe import describe, listing
from selfplay.levels import Level
from selfplay.player import DEFAULT_ROLLOUTS, USUAL_SOLVER_NODES, Analysis, Player
from selfplay.record import RecordError
from selfplay.session import Session
from selfplay.telling import chance, win_chance

FAVOURITES, THOUGHTS = 3, 8
"""Moves that the agent speaks of after its own, and when it is told to `think`."""


class Look(NamedTuple):
    """How stones are drawn: a glyph and a style for EMPTY, FIRST, SECOND and HOLE, and the marks' style."""

    glyphs: str
    styles: tuple[str, str, str, str]
    mark: str
    edge: str


PLAIN = Look(".xo#", ("", "", "", ""), "", "")
COLOUR = Look("·●○ ", ("bright_black", "bold red", "bold cyan", ""), "bold", "bright_black")


def look_of(console: Console) -> Look:
    """Colours at a terminal that has them and a user who wants them, letters anywhere else."""
    plain = console.no_color or not console.is_terminal or console.is_dumb_terminal
    return PLAIN if plain or "utf" not in console.encoding.lower() else COLOUR


def drawn_board(position: Position, look: Look) -> Text:
    """The board with coordinates; the last stone stands in brackets."""
    rows, columns = position.variant.board.rows, position.variant.board.columns
    names = "    " + " ".join(column_letter(column) for column in range(columns))
    lines = [_drawn_row(position, row, look) for row in range(rows)]
    above = [Text(names, look.edge)] if rows > 9 else []
    return Text("\n").join([*above, *lines, Text(position.indent(rows - 1) + names, look.edge)])


def _drawn_row(position: Position, row: int, look: Look) -> Text:
    rows, columns = position.variant.board.rows, position.variant.board.columns
    last = int(position.state.info[0, LAST])
    outside = position.variant.cut_cells
    line = Text().append(f"{rows - row:>2} {position.indent(row)}", look.edge)
    for cell in range(row * columns, (row + 1) * columns):
        before = "[" if cell == last else "]" if cell - 1 == last and cell % columns else " "
        colour = int(position.state.cells[0, cell])
        glyph = " " if cell in outside else look.glyphs[colour]
        line.append(before, look.mark).append(glyph, look.styles[colour])
    line.rstrip()
    return line.append("]" if last == (row + 1) * columns - 1 else "", look.mark)


def _say(console: Console, *parts: str | Text) -> None:
    console.print(Text.assemble(*parts), highlight=False, soft_wrap=not console.is_terminal)


def training_note(variant: Variant, player: Player) -> list[str]:
    """A line if the agent never saw these rules."""
    if player.trained_for(variant):
        return []
    known = listing(player.variants.names if player.variants else []) or "rules it doesn't name"
    return [f"{player.name} wasn't trained for these rules, but for {known}."]


def opponent(agent: str | Path, *, simulations: int | None, seed: int) -> Player:
    """An agent to play against, as `Player.load` takes it, with the exact solver beside its search."""
    return Player.load(agent, simulations=simulations, seed=seed, solver_nodes=USUAL_SOLVER_NODES)


SHARED = "meta.onnx"
"""The released agent that plays every variant."""


def default_agent(
    variant: Variant, *, typed: str, simulations: int | None, seed: int, level: Level | None = None
) -> tuple[Player, str]:
    """What ships for a variant, else the agent that plays all of them; and a line that says which it is.

    typed: what the user called the variant, a name or a path
    level: at which it will be played, for the line
    """
    if (own := zoo_file(f"{variant.name}.onnx")).is_file():
        player = opponent(own, simulations=simulations, seed=seed)
        if player.trained_for(variant):
            return player, f"You play against the agent that ships: {_at(player, level)}."
    if (shared := zoo_file(SHARED)).is_file():
        player = opponent(shared, simulations=simulations, seed=seed)
        if player.trained_for(variant):
            knows = "which has learned it among many"
        elif player.guides(variant):
            knows = "which has never seen it"
        else:
            knows = "which has never seen it and makes little of it: random playouts guide its search"
        better = f"selfplay adapt {typed} --minutes 5"
        return player, f"You play against {_at(player, level)}, {knows}. Stronger in minutes: {better}"
    player = Player.load(f"mcts:{DEFAULT_ROLLOUTS if simulations is None else simulations}", seed=seed)
    training = f"selfplay train {typed} --minutes 10 --run runs/{variant.name}"
    note = f"No agent ships for {variant.name}: this is plain tree search ({player.name})."
    return player, f"{note} Train one: {training}"


def _at(player: Player, level: Level | None) -> str:
    return player.description if level is None else f"{player.name} at the level {level.name}"


class _LeaveError(Exception):
    """The person has had enough."""


class Table:
    """A person and an agent at one board.

    Attributes:
        session: the game.
    """

    def __init__(
        self,
        variant: Variant,
        player: Player,
        *,
        console: Console,
        read: Callable[[str], str],
        interactive: bool,
        hints: bool,
    ) -> None:
        """Sit down.

        Args:
            variant: what is played.
            player: the agent.
            console: where everything is written.
            read: takes a prompt and returns a line; EOFError at the end of the input.
            interactive: a wrong line is explained and asked again, and another game is offered.
            hints: the agent says what it thinks after its moves.
        """
        self.player = player
        self.session = Session(variant, (None, player))
        self._console = console
        self._look = look_of(console)
        self._read = read
        self._interactive = interactive
        self._hints = hints
        self._shown: Position | None = None

    @property
    def position(self) -> Position:
        """The current position."""
        return self.session.position

    @property
    def human(self) -> int:
        """The person's seat, 0 or 1."""
        return self.session.people[0]

    @property
    def resigned(self) -> bool:
        """Whether the person gave this game up."""
        result = self.session.result
        return result is not None and result.reason == "resignation"

    def play(self, choose_seat: Callable[[], int]) -> None:
        """Play games, the person in the chosen seat, until the person or the input has had enough."""
        try:
            while True:
                self._set_up(choose_seat())
                if not self._play_to_the_end():
                    return
        except _LeaveError:
            self._say("Bye.")
        except EOFError:
            self._say("\nBye." if self._interactive else "The input ended before the game did.")
        except KeyboardInterrupt:
            self._say("")
            raise

    def _set_up(self, human: int) -> None:
        self.session.begin(start(self.position.variant))
        if human != self.human:
            self.session.swap_sides()
        who = "you begin" if self.position.to_play == human else "the agent begins"
        mine, other = self._stones_of(human), self._stones_of(1 - human)
        self._say("You play ", mine, ", the agent plays ", other, f"; {who}.")
        if self._interactive:
            self._say(Text("Type a move, or help.", "dim"))

    def _play_to_the_end(self) -> bool:
        """Play this game; whether the person wants another one."""
        while True:
            while not self.session.result:
                self._take_turn()
            self._show_end()
            if not self._interactive:
                return False
            answer = self._read("Another game? (y, n, undo, save FILE) > ").strip()
            while answer.lower().startswith("save "):
                self._try(answer)
                answer = self._read("Another game? (y, n, undo) > ").strip()
            if answer.lower() != "undo":
                return answer.lower() in ("y", "yes")
            self.undo()

    def _take_turn(self) -> None:
        """A move of the agent, or one line of the person."""
        if self.position.to_play != self.human:
            self._reply()
            return
        self._show_board()
        line = self._read(self._prompt()).strip()
        if line:
            self._try(line)

    def _try(self, line: str) -> None:
        """Obey; at a terminal a wrong line is explained."""
        try:
            self._obey(line)
        except (UserError, OSError) as error:
            if not self._interactive:
                raise
            text = str(error) if isinstance(error, UserError) else f"{error.filename}: {error.strerror}"
            self._say(Text(text, "yellow"))

    def _obey(self, line: str) -> None:
        """A command, or else a move."""
        word, _, rest = line.partition(" ")
        line = line.lower()
        if rest and (file_command := FILE_COMMANDS.get(word.lower())) is not None:
            file_command(self, Path(rest.strip()))
            return
        command = COMMANDS.get(line)
        if command is not None:
            command(self)
            return
        before = self.position
        self.session.play_text(line)
        self._tell_swap(before)

    def _tell_swap(self, before: Position) -> None:
        """Say so if the colours were swapped since a position."""
        if swap_action(before.variant) in self.position.actions[len(before.actions) :]:
            self._say("The colours are swapped: you play ", self._stones_of(self.human), " now.")

    def _reply(self) -> None:
        """The agent's move with all its choices, and what it thinks."""
        before, analysis = self.position, self._analysis()
        played = before.play(analysis.action)
        texts = [before.action_text(analysis.action)]
        actions = [analysis.action]
        while played.is_half_made:
            action = self._analysis_of(played).action
            texts.append(played.action_text(action))
            actions.append(action)
            played = played.play(action)
        line = f"The agent plays {'-'.join(texts)}."
        if self._hints and not self.player.plays_at_random:
            self._say(line, f" Its chance to win: {chance(analysis)}.")
            self._say(Text(_favourites(before, analysis), "dim"))
        else:
            self._say(line)
        for action in actions:
            self.session.play(action)
        self._tell_swap(before)

    def _analysis(self) -> Analysis:
        """What the agent thinks of the position."""
        return self._analysis_of(self.position)

    def _analysis_of(self, position: Position) -> Analysis:
        """What the agent thinks of a position; at a terminal with a sign of life meanwhile."""
        if not (self._interactive and self._console.is_terminal):
            return self.player.analyse(position)
        with self._console.status("the agent thinks …"):
            return self.player.analyse(position)

    # --- commands -------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """take your last move back"""
        if not self.session.undo():
            self._say("There is no move of yours to take back.")

    def hint(self) -> None:
        """what the agent would play in your place"""
        analysis = self._analysis()
        line = f"The agent would play {self.position.action_text(analysis.action)}."
        if not self.player.plays_at_random:
            line += f" Your chance to win: {chance(analysis)}."
        self._say(line)

    def think(self) -> None:
        """all that the agent thinks of the position"""
        if self.player.plays_at_random:
            self._say("The agent plays at random; it thinks nothing.")
            return
        analysis = self._analysis()
        self._say(f"{self.player.description}: your chance to win is {chance(analysis)}.")
        if analysis.win_draw_loss:
            win, draw, loss = analysis.win_draw_loss
            self._say(f"Without search: win {win:.0%}, draw {draw:.0%}, loss {loss:.0%}.")
        self._say(Text("  move  visits  policy  your chance", "dim"))
        for action in analysis.ranked(THOUGHTS):
            self._say(_thought(self.position, analysis, action))
        self._say(Text(f"  It expects {telling.line_text(self.position, analysis.line)}.", "dim"))

    def moves(self) -> None:
        """the legal moves"""
        texts = [self.position.action_text(action) for action in self.position.legal_actions]
        self._say(" ".join(texts))

    def sides(self) -> None:
        """swap seats with the agent, in the middle of the game"""
        self.session.swap_sides()
        self._say("You play ", self._stones_of(self.human), " now.")

    def resign(self) -> None:
        """give this game up"""
        self.session.resign(self.human)

    def save(self, path: Path) -> None:
        """write the game so far into a file"""
        self.session.save(path)
        self._say(f"Saved as {path}.")

    def load(self, path: Path) -> None:
        """go on with a game from a file"""
        position, here = record.load(path).position, self.position.variant
        if position.variant.digest != here.digest:
            raise RecordError(f"{path}: expected a game of {here.name}, got one of {position.variant.name}")
        self.session.begin(position)

    def help(self) -> None:
        """this list"""
        example = self.position.action_text(self.position.legal_actions[0])
        note = f", or {example[0]} alone" if self._column_is_enough(example[0]) else ""
        if (following := self.position.play(self.position.legal_actions[0])).is_half_made:
            target = following.action_text(following.legal_actions[0])
            note = f", then where it goes, or both as {example}-{target}"
        self._say(
            f"  a move   such as {example}{note}; columns are letters, rows are numbers from the bottom"
        )
        for name, command in COMMANDS.items():
            self._say(f"  {name:<8} {command.__doc__}")
        for name, file_command in FILE_COMMANDS.items():
            self._say(f"  {name} FILE  {file_command.__doc__}")

    def quit(self) -> None:
        """leave"""
        raise _LeaveError

    # --- what is on the screen ------------------------------------------------------------------------------

    def _say(self, *parts: str | Text) -> None:
        """A line; a terminal breaks it between words, a pipe gets it as it is."""
        _say(self._console, *parts)

    def _show_board(self) -> None:
        """The board, unless it was the last that was shown."""
        if self._shown is not self.position:
            self._say("\n", drawn_board(self.position, self._look), "\n")
            self._shown = self.position

    def _show_end(self) -> None:
        if not self.resigned:
            self._show_board()
        mine = self.position.returns[self.human]
        result = {1: "You win.", -1: "The agent wins.", 0: "Draw."}[mine]
        self._say(Text("You resign. The agent wins." if self.resigned else result, "bold"), self._count())
        replay = beginning(self.position)
        played = " ".join(replay.action_text(action) for action in self.position.actions)
        self._say(Text(f"Moves: {played or 'none'}", "dim"))

    def _count(self) -> str:
        """What each side has, by how much one leads, and what was captured, where that decides."""
        text = telling.count(self.position, [self._look.glyphs[colour] for colour in (FIRST, SECOND)])
        return f"  {text}" if text else ""

    def _stones_of(self, seat: int) -> Text:
        """The stone that a seat places, as it is drawn."""
        colour = telling.stone_of(self.position, seat)
        return Text(self._look.glyphs[colour], self._look.styles[colour])

    def _prompt(self) -> str:
        return f"you ({self._stones_of(self.human).plain}){telling.turn_notes(self.position)} > "

    def _column_is_enough(self, letter: str) -> bool:
        """Whether a letter alone is a move here."""
        try:
            return self.position.parse_action(letter) >= 0
        except MoveError:
            return False


def _favourites(position: Position, analysis: Analysis) -> str:
    """The moves an agent liked best, in a line."""
    liked = (_favourite(position, analysis, action) for action in analysis.ranked(FAVOURITES))
    return f"It looked at {'; '.join(liked)}."


def _favourite(position: Position, analysis: Analysis, action: int) -> str:
    text, visits = position.action_text(action), int(analysis.visits[action])
    if not visits:
        return f"{text} (policy {analysis.policy[action]:.0%})"
    return f"{text} ({visits} visits, {win_chance(float(analysis.action_values[action]))})"


def _thought(position: Position, analysis: Analysis, action: int) -> str:
    value = float(analysis.action_values[action])
    mine = "–" if np.isnan(value) else win_chance(value)
    visits, share = analysis.visits[action], analysis.policy[action]
    known = telling.proven(analysis, action)
    text = f"  {position.action_text(action):<4}  {visits:>6}  {share:>6.1%}  {mine:>11}  {known}"
    return text.rstrip()


COMMANDS: dict[str, Callable[[Table], None]] = {
    "undo": Table.undo,
    "hint": Table.hint,
    "think": Table.think,
    "moves": Table.moves,
    "sides": Table.sides,
    "resign": Table.resign,
    "help": Table.help,
    "quit": Table.quit,
}
"""Words a person may type instead of a move; a docstring is its line in `help`."""

FILE_COMMANDS: dict[str, Callable[[Table, Path], None]] = {"save": Table.save, "load": Table.load}
"""Words that a file's name follows."""


def play_in_terminal(
    variant: Variant,
    player: Player,
    *,
    first: Literal["me", "agent", "random"],
    seed: int,
    hints: bool,
    notes: Sequence[str] = (),
) -> None:
    """Play at the terminal, or through pipes where there is none.

    Args:
        variant: what is played.
        player: the agent.
        first: who makes the first move, in every game.
        seed: of drawing who is first.
        hints: the agent says what it thinks after its moves.
        notes: lines to begin with.

    Raises:
        MoveError: a wrong line came through a pipe.
        AgentError: the agent can't play this board.
    """
    player.check_plays(variant)
    console, interactive = Console(), sys.stdin.isatty()
    random = np.random.default_rng(seed)
    seats = {"me": lambda: 0, "agent": lambda: 1, "random": lambda: int(random.integers(2))}
    rules = variant.rules or " ".join(describe(variant).values())
    _say(console, Text(variant.title or variant.name, "bold"), f". {rules}")
    for note in notes:
        _say(console, Text(note, "dim"))
    read = _terminal_reader() if interactive else _read_pipe
    table = Table(variant, player, console=console, read=read, interactive=interactive, hints=hints)
    table.play(seats[first])


def _terminal_reader() -> Callable[[str], str]:
    """`input`, with line editing where the system has it."""
    with suppress(ImportError):
        import readline  # noqa: F401  # `input` uses it once it is imported
    return input


def _read_pipe(_prompt: str) -> str:
    """The next line of stdin, without a prompt."""
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
