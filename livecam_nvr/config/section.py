"""What every part of the config is made of."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the config: frozen; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
