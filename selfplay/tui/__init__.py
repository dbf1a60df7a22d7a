"""The terminal app: boards, panels and screens over `selfplay.session`.

`layout` and `picture` draw boards as styled text, `board` is the widget. The game's screen is `panels` as it
looks, `playing` as it plays and `game` as people steer it; `screens` come up over it, `thinking` asks agents.
Only `launch` and `agents` may be imported where Textual isn't installed.
"""
