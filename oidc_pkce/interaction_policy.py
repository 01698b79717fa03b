"""How strongly people prove who they are, and where they can prove more: what adopters subclass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

PASSWORD = "pwd"  # noqa: S105 - what our own sign-in page proves (RFC 8176 §2)
SEVERAL = "mfa"

#: The kinds of proof that RFC 8176 §2 names: something known, held, or grown.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys((PASSWORD, "pin", "kba"), "known"),
        **dict.fromkeys(("otp", "sms", "tel", "hwk", "swk", "sc", "pop"), "held"),
        **dict.fromkeys(("face", "fpt", "iris", "retina", "vbm"), "grown"),
    }
)


class InteractionPolicy:
    """Says which authentication contexts there are, and how a person gets from one to the next.

    Subclass it and name the subclass in ``OIDC_PKCE["INTERACTION_POLICY"]``. One instance serves
    every request of a process: keep no state. The answers of all methods but ``step_up_path`` must
    not depend on the person.
    """

    def supported(self) -> tuple[str, ...]:
        """Every context that :meth:`acr` can answer with, the weakest first.

        The metadata document lists them; nothing else that a client wants is ever asked for.
        """
        return ("aal1", "aal2")

    def acr(self, amr: Sequence[str]) -> str:
        """The context that these methods amount to (RFC 8176 §2); '' says nothing.

        One kind of proof is ``aal1``; ``mfa``, or two kinds, are ``aal2``. Nothing is claimed when
        a page of the host signed the person in and did not say how.
        """
        kinds = {KINDS[method] for method in amr if method in KINDS}
        if SEVERAL in amr or len(kinds) > 1:
            return "aal2"
        return "aal1" if kinds else ""

    def satisfies(self, acr: str, wanted: str) -> bool:
        """Whether a person who reached ``acr`` needs no more for ``wanted``.

        By default, what comes later in :meth:`supported` is the stronger.
        """
        order = self.supported()
        return acr in order and wanted in order and order.index(acr) >= order.index(wanted)

    def step_up_path(
        self, user: Any, application_id: str, client_id: str, wanted: str
    ) -> str | None:
        """The path of a page of the host where this person can reach ``wanted``; ``None``: nowhere.

        It begins with one slash and may have a query; ``wanted`` is one of :meth:`supported`. The
        page is given our own page as ``next``. It proves what it has to, tells us by
        :func:`oidc_pkce.sign_in.note_methods`, and sends the person on to ``next``.
        """
        return None
