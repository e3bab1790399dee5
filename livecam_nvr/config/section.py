"""What every part of the config is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    """A part of the config: frozen; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
