"""The shape of the network, and the precisions it infers in. Imports without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from games.encoding import PLANES, RULE_FEATURES

InferencePrecision = Literal["auto", "float32", "bfloat16", "int8"]
"""What a network computes in when it only infers; "auto" is what the hardware does fastest without loss."""


class NetworkConfig(BaseModel):
    """The shape of a `PolicyValueNet`; two networks with equal configs exchange weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: int = Field(4, ge=1, description="residual blocks (AlphaZero: 19, KataGo: 6 to 20)")
    channels: int = Field(64, ge=1, description="channels of the tower (AlphaZero: 256, KataGo: 96 to 256)")
    policy_hidden: int = Field(32, ge=1, description="channels between tower and policy plane")
    value_hidden: int = Field(64, ge=1, description="units between pooled tower and value (AlphaZero: 256)")
    rule_hidden: int = Field(64, ge=1, description="hidden units of the FiLM network over the rule features")
    planes: int = Field(len(PLANES), ge=1, description="input planes, those of games.encoding")
    features: int = Field(len(RULE_FEATURES), ge=1, description="rule features, those of games.encoding")
