"""One line about each word of the language, for hover and completion."""

from __future__ import annotations

STATEMENTS = {
    "send": 'Send an e-mail: `send email "template"`.',
    "wait": 'Wait: `wait 3 days`, `wait until 09:00`, `wait for event "x" up to 7 days { … }`.',
    "if": 'Choose a way: `if contact.data.plan == "pro" { … } else { … }`.',
    "switch": 'Choose by a value: `switch contact.data.plan { case "a", "b" { … } else { … } }`.',
    "split": "Divide people at random, for good: `split { 50% { … } else { … } }`.",
    "webhook": 'Call an address: `webhook POST "https://…" { body: { … } } as name`.',
    "update": "Change the contact's data: `update contact { key: value }`; null deletes a key.",
    "subscribe": "Subscribe the contact.",
    "unsubscribe": "Unsubscribe the contact.",
    "add": 'Add to a static segment: `add to segment "s"`.',
    "remove": 'Remove from a static segment: `remove from segment "s"`.',
    "track": 'Emit an event for the contact: `track "event" { key: value }`.',
    "exit": 'End the run: `exit "reason"`.',
    "goto": "Go on at a label: `goto @label`; `goto end` ends the run.",
    "step": 'Any step, by its type and config: `step DELAY { amount: 1, unit: "days" }`.',
    "edge": 'Any way between labelled steps: `edge @a -> @b { branch: "yes" }`.',
}
HEADERS = {
    "description": 'What the workflow is for: `description "…"`.',
    "on": 'What starts it: `on event "x"`, `on segment "s" entry`, `on schedule "0 9 * * MON" …`.',
    "reentry": "Whether somebody may run through again: `reentry never | always | after 30 days`.",
    "stop": 'End the run wherever it stands: `stop when event "x"`.',
    "goal": 'Count a conversion: `goal "bought" when event "order" then exit`.',
    "timezone": 'Whose clock counts: `timezone contact.data.zone default "UTC"`.',
    "quiet": "Hours without marketing mail: `quiet hours 21:00 to 08:00`.",
    "disabled": "Deploy it switched off.",
}
DECLARATIONS = {
    "workflow": 'A workflow: `workflow "name" { headers, statements }`.',
    "template": 'A template: `template "name" { type: marketing, subject: "…", … }`.',
    "segment": 'A segment: `segment "name" { where condition }` or `{ static }`.',
    "test": 'A test: `test "name" { workflow "…", contact { … }, track "…", expect … }`.',
}
FIELDS = {
    "contact.id": "The contact's id.",
    "contact.email": "The contact's address.",
    "contact.subscribed": "Whether the contact gets marketing mail.",
    "contact.createdAt": "When the contact was created.",
    "contact.updatedAt": "When the contact was changed last.",
    "run.id": "The id of this run.",
    "run.startedAt": "When this run started.",
    "now": "The time of the step.",
}
SYSTEM_EVENTS = (
    "contact.subscribed",
    "contact.unsubscribed",
    "email.sent",
    "email.delivery",
    "email.open",
    "email.click",
    "email.bounce",
    "email.complaint",
)
MEANINGS = {**STATEMENTS, **HEADERS, **DECLARATIONS, **FIELDS}
