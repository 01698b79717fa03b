"""What a host project may listen to. Each is sent after the transaction commits; nothing of ours
depends on a receiver."""

from __future__ import annotations

from django.dispatch import Signal

#: A person allowed a client.
#: Arguments: ``application_id``, ``client_id``, ``user_pk``, ``grant_id``.
grant_created = Signal()

#: A grant was revoked. Arguments: ``grant_id``, ``reason``.
grant_revoked = Signal()

#: An application was created, changed or deleted. Arguments: ``application_id``, ``action``.
application_changed = Signal()
