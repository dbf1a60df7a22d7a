"""The game's screen as it plays: people choose cells, agents think, clocks run, one game follows another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from textual import on
from textual.message import Message
from textual.widgets import Input

from games import MoveError, Position, UserError, Variant, start
from selfplay.clock import TimeControl
from selfplay.session import Session
from selfplay.telling import win_chance
from selfplay.tui.agents import OPENING_PLIES, Agents, Loaded
from selfplay.tui.board import BoardWidget
from selfplay.tui.panels import GameView
from selfplay.tui.thinking import Thinker, Thought, Trouble

TICK = 0.2
"""Seconds between two looks at the clocks."""


class Arrived(Message):
    """Agents for a variant have been loaded."""

    def __init__(self, variant: Variant, loaded: Loaded) -> None:
        self.variant, self.loaded = variant, loaded
        super().__init__()


class Missing(Message):
    """There is no agent; one line says why."""

    def __init__(self, line: str) -> None:
        self.line = line
        super().__init__()


@dataclass(frozen=True)
class Pace:
    """How fast agents play before people's eyes, in seconds.

    Attributes:
        move: a move of two agents takes at least so long.
        game: between two games of agents that are watched.
    """

    move: float = 0.5
    game: float = 2.0


class GamePlay(GameView):
    """Plays a session.

    Attributes:
        agents: where agents come from.
        loaded: the agent for the variant that is played; None until it is there.
    """

    _file: Path | None = None
    """Where this game was saved or comes from."""

    def __init__(
        self, variant: Variant, agents: Agents, *, person: int | None, control: TimeControl | None, pace: Pace
    ) -> None:
        """person: the seat of a person; None: agents play among themselves, one game after the other."""
        super().__init__(Session(variant, control=control))
        self.agents = agents
        self.loaded: Loaded | None = None
        self._person = person
        self._pace = pace
        self._thinker = Thinker(self)
        self._wants_hint = False
        self._final: Thought | None = None  # about the current position, if nothing better follows
        self._steps = 0

    def on_mount(self) -> None:
        self.set_interval(TICK, self._tick)
        self.query_one(BoardWidget).focus()
        self.load_agent()

    def on_unmount(self) -> None:
        self._thinker.stop()

    @property
    def is_watching(self) -> bool:
        """Whether agents play among themselves."""
        return not self.session.people

    # --- beginning ------------------------------------------------------------------------------------------

    def begin(self, position: Position, *, control: TimeControl | None = None) -> None:
        """Begin a game from a position with the actions that led to it."""
        self._file = None
        is_new = position.variant.digest != self.session.variant.digest
        self.session.begin(position, control=control or self.session.clock.control)
        if is_new or self.agents.run is not None:
            self.load_agent()
        else:
            self.go_on()

    def begin_again(self) -> None:
        """The same game from its start."""
        self.begin(start(self.session.variant))

    def load_agent(self) -> None:
        """Load the agent for the variant, in a thread; nobody plays before it is there."""
        self._thinker.stop()
        self.loaded = None
        if len(self.session.people) == 1:
            self._person = self.session.people[0]
        self.session.seats = [None, None]
        self.found, self.thinks = None, False
        self.show_game()
        self.say("loading the agent …")
        variant = self.session.variant

        def work() -> None:
            try:
                self.post_message(Arrived(variant, self.agents.load(variant)))
            except (ValueError, OSError) as error:  # what a file can be wrong in, `UserError` included
                self.post_message(Missing(str(error)))

        self.run_worker(work, group="loading", thread=True, exclusive=True)

    @on(Missing)
    def do_without(self, message: Missing) -> None:
        """There is no agent; two people may still play, and a watched run is asked again."""
        self.say(message.line, is_wrong=True)
        if self.agents.run is not None:
            self.set_timer(self._pace.game, self.load_agent)

    @on(Arrived)
    def welcome(self, message: Arrived) -> None:
        """An agent has been loaded: it takes its seats, and the game goes on."""
        if message.variant is not self.session.variant:
            return
        self.loaded = loaded = message.loaded
        for seat in (0, 1):
            player = None if seat == self._person else self.agents.at_level(loaded.players[seat])
            self.session.seat(seat, player)
        self.go_on()
        self.say(loaded.notes[0] if loaded.notes else "")

    def reseat(self) -> None:
        """Let agents play at the level that is chosen now."""
        if self.loaded is not None:
            for seat in (0, 1):
                if self.session.seats[seat] is not None:
                    self.session.seat(seat, self.agents.at_level(self.loaded.players[seat]))
        self.go_on()

    # --- going on -------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """After any change: show it, and let whoever is to think do so."""
        self._thinker.stop()
        self.found, self.thinks = None, False
        self._wants_hint, self._final = False, None
        self.session.tick(paused=self.is_paused)
        self.say_nothing()
        self._let_think()
        level = self.agents.level
        self.show_title("" if level is None else level.name)
        self.show_game()
        if self.session.result and self.agents.run is not None and not self.is_paused:
            self.set_timer(self._pace.game, self._next_game)

    def _let_think(self) -> None:
        """The agent to move finds its move; else the analyst looks at the position."""
        position = self.session.position
        if self.session.result is not None:
            return
        agent = self.session.agent_to_move
        if agent is not None and (not self.is_paused or self._steps):
            self.thinks = True
            if self.is_watching and len(position.actions) < OPENING_PLIES and self.agents.run is not None:
                agent = agent.at_strength(agent.simulations, 1.0)
            self._thinker.choose(agent, position, self.session.seconds_for_move(position.to_play))
        elif self.is_analysing and self.loaded is not None:
            self._thinker.analyse(self.loaded.analyst, position)

    def _next_game(self) -> None:
        """A run is watched, and a game is over: the next one, with the agent that is the latest by then."""
        if self.session.result and not self.is_paused:
            self.begin_again()

    def ask_for_hint(self) -> None:
        """Tell what the agent would play, once it is known."""
        if self.session.result or self.session.agent_to_move is not None or self.loaded is None:
            return
        if self._final is not None:
            self._tell_hint(self._final)
            return
        self._wants_hint = True
        if not self._thinker.is_busy:
            analyst = self.loaded.analyst
            self._thinker.analyse(analyst, self.session.position, simulations=analyst.simulations)
        self.say("looking for a hint …")

    def step(self) -> None:
        """Let one move be played while the agents are paused."""
        if self.is_paused and self.session.agent_to_move is not None:
            self._steps = 1
            self.go_on()

    # --- what comes in --------------------------------------------------------------------------------------

    @on(Thought)
    def hear(self, thought: Thought) -> None:
        """An agent has found something."""
        position = self.session.position
        if thought.position is not position or self.session.result:
            return
        agent = self.session.agent_to_move
        says_nothing = thought.is_move and agent is not None and agent.plays_at_random
        if thought.analysis is not None and not says_nothing:
            self.found = thought.analysis
            self.session.note_value(position, thought.analysis.value_to_play)
            self.show_thoughts()
            self.show_board()
        if thought.is_final and thought.is_move:
            if self.is_watching and not self._steps and self._pace.move:
                self.set_timer(self._pace.move, lambda: self._play_for_agent(thought))
            else:
                self._play_for_agent(thought)
        elif thought.is_final:
            self._final = thought
            if self._wants_hint:
                self._tell_hint(thought)

    def _play_for_agent(self, thought: Thought) -> None:
        """Play what an agent chose, unless something else has happened meanwhile."""
        if thought.position is not self.session.position or self.session.agent_to_move is None:
            return
        if self.is_paused and not self._steps:
            return
        self.session.play(thought.action)
        if not self.session.position.is_half_made:
            self._steps = 0
        self.go_on()

    def _tell_hint(self, thought: Thought) -> None:
        self._wants_hint = False
        text = thought.position.action_text(thought.action)
        value = 0.0 if thought.analysis is None else thought.analysis.value_to_play
        self.say(f"The agent would play {text}; your chance to win: {win_chance(value)}.")
        if thought.action < len(thought.position.state.cells[0]):
            self.query_one(BoardWidget).point_at(thought.action)

    @on(Trouble)
    def hear_trouble(self, trouble: Trouble) -> None:
        """An agent can't go on."""
        self.thinks = False
        self.say(trouble.line, is_wrong=True)

    @on(BoardWidget.Chosen)
    def choose(self, message: BoardWidget.Chosen) -> None:
        """A person chose a cell: a move, or a part of one; another own stone begins another move."""
        if not self._may_choose():
            return
        action = meant_by(self.session.position, message.cell)
        if action is None and self._begins_another(message.cell):
            self.session.undo()
            action = message.cell
        if action is None:
            name = self.session.position.action_text(message.cell)
            self.say(f"{name} can't be played here.", is_wrong=True)
        else:
            self.session.play(action)
            self.go_on()

    def _begins_another(self, cell: int) -> bool:
        """Whether a cell would be a choice if the half-made move were given up."""
        if not self.session.position.is_half_made:
            return False
        earlier = self.session.line.positions
        begun = next((p for p in reversed(earlier) if not p.is_half_made), None)
        return begun is not None and bool(begun.legal_mask[cell])

    @on(Input.Submitted, "#typed")
    def take_typed(self, event: Input.Submitted) -> None:
        """A person typed a move."""
        text = event.value.strip()
        self.close_typed()
        with self.told():
            if text and self._may_choose():
                self.session.play_text(text)
                self.go_on()

    def close_typed(self) -> None:
        """Close the line for typed moves."""
        line = self.query_one("#typed", Input)
        line.value = ""
        line.remove_class("-open")
        self.query_one(BoardWidget).focus()

    def _may_choose(self) -> bool:
        """Whether it is a person's turn; says so if not."""
        if self.session.result:
            self.say("The game is over; g: the same again, n: another one, u: take back.")
            return False
        if self.session.agent_to_move is not None:
            self.say("It is the agent's turn; t: take its seat over, p: pause.")
            return False
        return True

    def _tick(self) -> None:
        """Look at the clocks."""
        before = self.session.result
        self.session.tick(paused=self.is_paused or self.loaded is None)
        if self.session.result != before:
            self.go_on()
        self.show_players()

    @contextmanager
    def told(self) -> Iterator[None]:
        """What a person did wrong becomes a line on the screen."""
        try:
            yield
        except UserError as error:
            self.say(str(error), is_wrong=True)
        except OSError as error:
            self.say(f"{error.filename}: {error.strerror}", is_wrong=True)


def meant_by(position: Position, cell: int) -> int | None:
    """The action of a person who chose a cell; in drop games any of a lane will do. None: there is none."""
    if position.legal_mask[cell]:
        return cell
    if position.variant.move.kind != "drop":
        return None
    name = position.action_text(cell)
    for lane in (name[0], name[1:]):
        with suppress(MoveError):
            return position.parse_action(lane)
    return None
