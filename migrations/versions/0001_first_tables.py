"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(36), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("public_hash", sa.String(length=64), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("public_sealed", sa.String(length=512), nullable=False),
        sa.Column("secret_sealed", sa.String(length=512), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(length=100), nullable=True),
        sa.Column("tracking", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "tracking IN ('ENABLED', 'DISABLED', 'MARKETING_ONLY')",
            name=op.f("ck_projects_tracking"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("public_hash", name=op.f("uq_projects_public_hash")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_projects_secret_hash")),
    )
    op.create_table(
        "attachment_sets",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_attachment_sets_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment_sets")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_attachment_sets_project_id_id")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("data", JSON, nullable=True),
        sa.Column("subscribed", sa.Boolean(), nullable=False),
        sa.Column("snoozed_until", WHEN, nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_contacts_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("project_id", "email", name=op.f("uq_contacts_project_id_email")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_contacts_project_id_id")),
    )
    op.create_index(
        "ix_contacts_newest", "contacts", ["project_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request", sa.String(length=100), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_idempotency_keys_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "records",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("module", sa.String(length=50), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_records_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_records_project_id_id")),
    )
    op.create_index(
        "ix_records_newest", "records", ["project_id", "module", "created_at", "id"], unique=False
    )
    op.create_table(
        "templates",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("subject", sa.String(length=998), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("from_address", sa.String(length=320), nullable=False),
        sa.Column("from_name", sa.String(length=100), nullable=True),
        sa.Column("reply_to", sa.String(length=320), nullable=True),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "type IN ('MARKETING', 'TRANSACTIONAL', 'HEADLESS')", name=op.f("ck_templates_type")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_templates_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_templates_project_id_id")),
    )
    op.create_index(
        "ix_templates_newest", "templates", ["project_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "workflows",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("dialect", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("trigger_type", sa.String(length=20), nullable=False),
        sa.Column("trigger_config", JSON, nullable=True),
        sa.Column("allow_reentry", sa.Boolean(), nullable=False),
        sa.Column("reentry_seconds", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "dialect IN ('plunk', 'flows', 'crm')", name=op.f("ck_workflows_dialect")
        ),
        sa.CheckConstraint(
            "trigger_type IN ('EVENT', 'MANUAL', 'SCHEDULE')",
            name=op.f("ck_workflows_trigger_type"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_workflows_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflows")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_workflows_project_id_id")),
    )
    op.create_index(
        "ix_workflows_newest",
        "workflows",
        ["project_id", "dialect", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "revisions",
        sa.Column("workflow_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("graph", JSON, nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "workflow_id"],
            ["workflows.project_id", "workflows.id"],
            name=op.f("fk_revisions_project_id_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_revisions_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workflow_id", "number", name=op.f("pk_revisions")),
    )
    op.create_table(
        "steps",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("workflow_id", ID, nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=True),
        sa.Column("position", JSON, nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("template_id", ID, nullable=True),
        sa.Column("deleted_at", WHEN, nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "type IN ('TRIGGER', 'SEND_EMAIL', 'DELAY', 'WAIT_FOR_EVENT', 'CONDITION', 'EXIT', 'WEBHOOK', 'UPDATE_CONTACT')",
            name=op.f("ck_steps_type"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "template_id"],
            ["templates.project_id", "templates.id"],
            name=op.f("fk_steps_project_id_template_id"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "workflow_id"],
            ["workflows.project_id", "workflows.id"],
            name=op.f("fk_steps_project_id_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_steps_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_steps_project_id_id")),
    )
    op.create_index("ix_steps_template", "steps", ["template_id"], unique=False)
    op.create_index("ix_steps_workflow", "steps", ["workflow_id", "created_at", "id"], unique=False)
    op.create_table(
        "executions",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("workflow_id", ID, nullable=False),
        sa.Column("dialect", sa.String(length=10), nullable=False),
        sa.Column("contact_id", ID, nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("entry_key", sa.String(length=100), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("current_step_id", ID, nullable=True),
        sa.Column("exit_reason", sa.Text(), nullable=True),
        sa.Column("context", JSON, nullable=True),
        sa.Column("variables", JSON, nullable=True),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("due_at", WHEN, nullable=True),
        sa.Column("awaited_event", sa.String(), nullable=True),
        sa.Column("awaited_where", JSON, nullable=True),
        sa.Column("awaited_call", sa.Integer(), nullable=True),
        sa.Column("signal", JSON, nullable=True),
        sa.Column("started_at", WHEN, nullable=False),
        sa.Column("completed_at", WHEN, nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "dialect IN ('plunk', 'flows', 'crm')", name=op.f("ck_executions_dialect")
        ),
        sa.CheckConstraint(
            "status IN ('RUNNING', 'WAITING', 'COMPLETED', 'EXITED', 'FAILED', 'CANCELLED')",
            name=op.f("ck_executions_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('RUNNING', 'WAITING') OR due_at IS NOT NULL OR awaited_event IS NOT NULL",
            name=op.f("ck_executions_parked_has_wake"),
        ),
        sa.CheckConstraint(
            "(contact_id IS NULL) <> (record_id IS NULL)", name=op.f("ck_executions_one_subject")
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "contact_id"],
            ["contacts.project_id", "contacts.id"],
            name=op.f("fk_executions_project_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "current_step_id"],
            ["steps.project_id", "steps.id"],
            name=op.f("fk_executions_project_id_current_step_id"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "record_id"],
            ["records.project_id", "records.id"],
            name=op.f("fk_executions_project_id_record_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "workflow_id"],
            ["workflows.project_id", "workflows.id"],
            name=op.f("fk_executions_project_id_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_executions_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_executions_project_id_id")),
        sa.UniqueConstraint(
            "workflow_id", "entry_key", name=op.f("uq_executions_workflow_id_entry_key")
        ),
    )
    op.create_index(
        "ix_executions_awaited",
        "executions",
        ["contact_id", "awaited_event"],
        unique=False,
        sqlite_where=sa.text("awaited_event IS NOT NULL"),
        postgresql_where=sa.text("awaited_event IS NOT NULL"),
    )
    op.create_index(
        "ix_executions_due",
        "executions",
        ["project_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_executions_newest", "executions", ["workflow_id", "started_at", "id"], unique=False
    )
    op.create_index(
        "ix_executions_status", "executions", ["workflow_id", "status", "started_at"], unique=False
    )
    op.create_index(
        "ix_executions_subject", "executions", ["contact_id", "workflow_id"], unique=False
    )
    op.create_table(
        "transitions",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("workflow_id", ID, nullable=False),
        sa.Column("from_step_id", ID, nullable=False),
        sa.Column("to_step_id", ID, nullable=False),
        sa.Column("condition", JSON, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("wait_outcome", sa.String(length=10), nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "wait_outcome IN ('EVENT', 'TIMEOUT')", name=op.f("ck_transitions_wait_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "from_step_id"],
            ["steps.project_id", "steps.id"],
            name=op.f("fk_transitions_project_id_from_step_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "to_step_id"],
            ["steps.project_id", "steps.id"],
            name=op.f("fk_transitions_project_id_to_step_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "workflow_id"],
            ["workflows.project_id", "workflows.id"],
            name=op.f("fk_transitions_project_id_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_transitions_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transitions")),
    )
    op.create_index(
        "ix_transitions_workflow",
        "transitions",
        ["workflow_id", "priority", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "triggers",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("workflow_id", ID, nullable=False),
        sa.Column("entry_step_id", ID, nullable=False),
        sa.Column("event_name", sa.String(), nullable=False),
        sa.Column("condition", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id", "entry_step_id"],
            ["steps.project_id", "steps.id"],
            name=op.f("fk_triggers_project_id_entry_step_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "workflow_id"],
            ["workflows.project_id", "workflows.id"],
            name=op.f("fk_triggers_project_id_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_triggers_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triggers")),
    )
    op.create_index("ix_triggers_event", "triggers", ["project_id", "event_name"], unique=False)
    op.create_index("ix_triggers_workflow", "triggers", ["workflow_id"], unique=False)
    op.create_table(
        "emails",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("contact_id", ID, nullable=False),
        sa.Column("template_id", ID, nullable=True),
        sa.Column("execution_id", ID, nullable=True),
        sa.Column("visit", sa.Integer(), nullable=True),
        sa.Column("attachment_set_id", ID, nullable=True),
        sa.Column("source_type", sa.String(length=20), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.Column("to_address", sa.String(length=320), nullable=False),
        sa.Column("to_name", sa.String(length=998), nullable=True),
        sa.Column("from_address", sa.String(length=320), nullable=False),
        sa.Column("from_name", sa.String(length=998), nullable=True),
        sa.Column("reply_to", sa.String(length=320), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("headers", JSON, nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", WHEN, nullable=True),
        sa.Column("lease_until", WHEN, nullable=True),
        sa.Column("lease_token", ID, nullable=True),
        sa.Column("sent_at", WHEN, nullable=True),
        sa.Column("delivered_at", WHEN, nullable=True),
        sa.Column("opened_at", WHEN, nullable=True),
        sa.Column("clicked_at", WHEN, nullable=True),
        sa.Column("bounced_at", WHEN, nullable=True),
        sa.Column("complained_at", WHEN, nullable=True),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "(status = 'PENDING') = (next_attempt_at IS NOT NULL) AND (status = 'SENDING') = (lease_until IS NOT NULL)",
            name=op.f("ck_emails_waiting_has_deadline"),
        ),
        sa.CheckConstraint(
            "source_type IN ('TRANSACTIONAL', 'CAMPAIGN', 'WORKFLOW', 'INBOUND')",
            name=op.f("ck_emails_source_type"),
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'SENDING', 'SENT', 'DELIVERED', 'OPENED', 'CLICKED', 'BOUNCED', 'COMPLAINED', 'FAILED', 'RECEIVED')",
            name=op.f("ck_emails_status"),
        ),
        sa.CheckConstraint(
            "type IN ('MARKETING', 'TRANSACTIONAL', 'HEADLESS')", name=op.f("ck_emails_type")
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "attachment_set_id"],
            ["attachment_sets.project_id", "attachment_sets.id"],
            name=op.f("fk_emails_project_id_attachment_set_id"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "contact_id"],
            ["contacts.project_id", "contacts.id"],
            name=op.f("fk_emails_project_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "execution_id"],
            ["executions.project_id", "executions.id"],
            name=op.f("fk_emails_project_id_execution_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "template_id"],
            ["templates.project_id", "templates.id"],
            name=op.f("fk_emails_project_id_template_id"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_emails_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emails")),
        sa.UniqueConstraint("execution_id", "visit", name=op.f("uq_emails_execution_id_visit")),
        sa.UniqueConstraint("message_id", name=op.f("uq_emails_message_id")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_emails_project_id_id")),
    )
    op.create_index("ix_emails_contact", "emails", ["contact_id", "created_at"], unique=False)
    op.create_index(
        "ix_emails_due",
        "emails",
        ["project_id", "lane", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_emails_leased",
        "emails",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index("ix_emails_newest", "emails", ["project_id", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_emails_provider_id"), "emails", ["provider_id"], unique=False)
    op.create_index("ix_emails_template", "emails", ["template_id"], unique=False)
    op.create_table(
        "step_executions",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("execution_id", ID, nullable=False),
        sa.Column("step_id", ID, nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("scheduled_for", WHEN, nullable=True),
        sa.Column("execute_after", WHEN, nullable=True),
        sa.Column("output", JSON, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", WHEN, nullable=True),
        sa.Column("completed_at", WHEN, nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "status IN ('PENDING', 'SCHEDULED', 'WAITING', 'RUNNING', 'COMPLETED', 'SKIPPED', 'FAILED')",
            name=op.f("ck_step_executions_status"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "execution_id"],
            ["executions.project_id", "executions.id"],
            name=op.f("fk_step_executions_project_id_execution_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "step_id"],
            ["steps.project_id", "steps.id"],
            name=op.f("fk_step_executions_project_id_step_id"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_step_executions_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_executions")),
        sa.UniqueConstraint(
            "execution_id", "visit", name=op.f("uq_step_executions_execution_id_visit")
        ),
    )
    op.create_table(
        "webhook_calls",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("execution_id", ID, nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("retry", JSON, nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", WHEN, nullable=True),
        sa.Column("lease_until", WHEN, nullable=True),
        sa.Column("lease_token", ID, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint(
            "(status = 'PENDING') = (next_attempt_at IS NOT NULL) AND (status = 'SENDING') = (lease_until IS NOT NULL)",
            name=op.f("ck_webhook_calls_waiting_has_deadline"),
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'SENDING', 'DONE', 'FAILED', 'CANCELLED')",
            name=op.f("ck_webhook_calls_status"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "execution_id"],
            ["executions.project_id", "executions.id"],
            name=op.f("fk_webhook_calls_project_id_execution_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_webhook_calls_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_calls")),
        sa.UniqueConstraint(
            "execution_id", "visit", name=op.f("uq_webhook_calls_execution_id_visit")
        ),
    )
    op.create_index(
        "ix_webhook_calls_due",
        "webhook_calls",
        ["project_id", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_calls_leased",
        "webhook_calls",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("contact_id", ID, nullable=True),
        sa.Column("email_id", ID, nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("data", JSON, nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "contact_id"],
            ["contacts.project_id", "contacts.id"],
            name=op.f("fk_events_project_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "email_id"],
            ["emails.project_id", "emails.id"],
            name=op.f("fk_events_project_id_email_id"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_events_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_contact", "events", ["contact_id", "name", "created_at"], unique=False
    )
    op.create_index("ix_events_email", "events", ["email_id"], unique=False)
    op.create_index("ix_events_name", "events", ["project_id", "name", "created_at"], unique=False)
    op.create_index("ix_events_newest", "events", ["project_id", "created_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_events_newest", table_name="events")
    op.drop_index("ix_events_name", table_name="events")
    op.drop_index("ix_events_email", table_name="events")
    op.drop_index("ix_events_contact", table_name="events")
    op.drop_table("events")
    op.drop_index(
        "ix_webhook_calls_leased",
        table_name="webhook_calls",
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.drop_index(
        "ix_webhook_calls_due",
        table_name="webhook_calls",
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.drop_table("webhook_calls")
    op.drop_table("step_executions")
    op.drop_index("ix_emails_template", table_name="emails")
    op.drop_index(op.f("ix_emails_provider_id"), table_name="emails")
    op.drop_index("ix_emails_newest", table_name="emails")
    op.drop_index(
        "ix_emails_leased",
        table_name="emails",
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.drop_index(
        "ix_emails_due",
        table_name="emails",
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.drop_index("ix_emails_contact", table_name="emails")
    op.drop_table("emails")
    op.drop_index("ix_triggers_workflow", table_name="triggers")
    op.drop_index("ix_triggers_event", table_name="triggers")
    op.drop_table("triggers")
    op.drop_index("ix_transitions_workflow", table_name="transitions")
    op.drop_table("transitions")
    op.drop_index("ix_executions_subject", table_name="executions")
    op.drop_index("ix_executions_status", table_name="executions")
    op.drop_index("ix_executions_newest", table_name="executions")
    op.drop_index(
        "ix_executions_due",
        table_name="executions",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_executions_awaited",
        table_name="executions",
        sqlite_where=sa.text("awaited_event IS NOT NULL"),
        postgresql_where=sa.text("awaited_event IS NOT NULL"),
    )
    op.drop_table("executions")
    op.drop_index("ix_steps_workflow", table_name="steps")
    op.drop_index("ix_steps_template", table_name="steps")
    op.drop_table("steps")
    op.drop_table("revisions")
    op.drop_index("ix_workflows_newest", table_name="workflows")
    op.drop_table("workflows")
    op.drop_index("ix_templates_newest", table_name="templates")
    op.drop_table("templates")
    op.drop_index("ix_records_newest", table_name="records")
    op.drop_table("records")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("ix_contacts_newest", table_name="contacts")
    op.drop_table("contacts")
    op.drop_table("attachment_sets")
    op.drop_table("projects")
