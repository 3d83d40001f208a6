"""The workflows that stories are about, in two versions; every step that counts has a label."""

from __future__ import annotations

from plunk.services import workflow_text

COUNTERS = ("once", "paid", "late", "again", "chained", "extra", "sent", "vip", "bored")
WAITS = {"wait", "rest"}  # the steps that wait for `paid`

SHARED = """
template "news" { type: marketing  subject: "News"  from: "team@acme.test"  body: "<p>News</p>" }
template "receipt" { type: transactional  subject: "Receipt"  from: "shop@acme.test"
                     body: "<p>Thanks</p>" }
segment "Inside" { static }

workflow "Chained" {
  on event "chained"
  reentry always
  @call webhook POST "https://hooks.acme.test/chained" { body: { run: "chained" } }
  add to segment "Inside"
  @chained update contact { chained: (contact.data.chained ?? 0) + 1 }
}

workflow "Sent" {
  on event "email.sent" where event.subject == "News"
  reentry always
  @sent update contact { sent: (contact.data.sent ?? 0) + 1 }
  wait until contact.data.isVip == true up to 20 minutes {
    @vip update contact { vip: (contact.data.vip ?? 0) + 1 }
  } timeout {
    @bored update contact { bored: (contact.data.bored ?? 0) + 1 }
  }
}

workflow "Poisoned" {
  on event "poison"
  reentry always
  send email "receipt" { from: event.sender }
}
"""

ONCE = """
workflow "Once" {
  on event "go"
  @once update contact { once: (contact.data.once ?? 0) + 1 }
  send email "news"
  @wait wait for event "paid" up to %(wait)s {
    @paid update contact { paid: (contact.data.paid ?? 0) + 1 }
    send email "receipt"
    add to segment "Inside"
  } timeout {
    @late update contact { late: (contact.data.late ?? 0) + 1 }
    send email "news"
    remove from segment "Inside"
  }
  @hook webhook POST "https://hooks.acme.test/once" { body: { run: "once" } }
  wait for event "never"
}
"""

AGAIN = """
workflow "Again" {
  on event "again"
  reentry always
  stop when event "enough"
  goal "payment" when event "paid"
  @again update contact { again: (contact.data.again ?? 0) + 1 }
  track "chained"
  %(middle)s
  send email "receipt"
  send email "receipt"
  wait for event "email.sent" up to 1 hour
}
"""

REST = '@rest wait for event "paid" up to 10 minutes'
FIRST = SHARED + ONCE % {"wait": "1 hour"} + AGAIN % {"middle": REST}
EXTRA = "@extra update contact { extra: (contact.data.extra ?? 0) + 1 }"
SECOND = SHARED + ONCE % {"wait": "20 minutes"} + AGAIN % {"middle": EXTRA}


def read(text: str) -> workflow_text.Written:
    """Return the text as it can be deployed."""
    return workflow_text.read({"cast.flow": text})
