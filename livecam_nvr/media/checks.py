"""What `doctor` asks of encoding (core.ports.SelfCheck): which encoders work, and whether the chosen one does."""

from collections.abc import Sequence

from livecam_nvr.core.ports import Check
from livecam_nvr.media.encoding import X264
from livecam_nvr.media.hardware import HARDWARE, available_encoders, described


class EncoderCheck:
    """Tries every encoder with a short encode.

    Args:
        wanted: As in the config, see `encoding.encoder`.
    """

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    async def check(self) -> Sequence[Check]:
        """See core.ports.SelfCheck."""
        trials = {trial.name: trial for trial in await available_encoders()}
        works = {name: trial.encoder for name, trial in trials.items() if trial.encoder is not None}
        order = (*HARDWARE, X264.name) if self._wanted == "auto" else (self._wanted, X264.name)
        taken = next((works[name] for name in order if name in works), None)
        others = [
            described(trial.encoder) + " works, too" if trial.encoder else f"{name}: {trial.why_not}"
            for name, trial in trials.items()
            if taken is None or name != taken.name
        ]
        if taken is None:
            return [Check("encoder", ok=False, found="; ".join(others), mend="install ffmpeg with libx264")]
        found = f"{described(taken)} ({'; '.join(others)})"
        if self._wanted in {"auto", taken.name}:
            return [Check("encoder", ok=True, found=found)]
        return [
            Check(
                "encoder",
                ok=False,
                found=f"encoding.encoder asks for {self._wanted}, which does not work; in its place {found}",
                mend="install what is missing, or set encoding.encoder to auto or x264",
            )
        ]
