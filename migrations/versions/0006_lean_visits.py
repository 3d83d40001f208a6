"""lean visits: their rows point to the run only, which points to everything else.

Each foreign key is looked up for each row: three for every step of every run were more than half
of what storing a run costs. Steps are never taken out of the database while their workflow's runs
are in it, and a visit's project is its run's.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from alembic import op
from alembic.operations import BatchOperations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "step_executions"
PROJECT = "fk_step_executions_project_id"
STEP = "fk_step_executions_project_id_step_id"


def upgrade() -> None:
    with _batch() as table:
        table.drop_constraint(op.f(PROJECT), type_="foreignkey")
        table.drop_constraint(op.f(STEP), type_="foreignkey")


def downgrade() -> None:
    with _batch() as table:
        table.create_foreign_key(
            op.f(PROJECT), "projects", ["project_id"], ["id"], ondelete="CASCADE"
        )
        table.create_foreign_key(
            op.f(STEP), "steps", ["project_id", "step_id"], ["project_id", "id"]
        )


def _batch() -> AbstractContextManager[BatchOperations]:
    return op.batch_alter_table(TABLE)
