"""Segments over HTTP: groups of contacts, found by a condition or put together by hand."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.paging import PageRequest
from plunk.schemas.pages import PageQueryIn
from plunk.schemas.segments import (
    ComputedOut,
    CountOut,
    LeaversIn,
    MembersAddedOut,
    MembersIn,
    MembersRemovedOut,
    SegmentChangeIn,
    SegmentContactsOut,
    SegmentCreatedOut,
    SegmentDraftIn,
    SegmentOut,
)
from plunk.services import segment_computing, segment_members
from plunk.services import segments as service
from plunk.services.segment_members import MembersDraft
from plunk.services.segments import SegmentChange, SegmentDraft

segments = Blueprint("segments", __name__)


@endpoint(segments, "/segments", method="GET", spec=Spec(answers={200: SegmentOut(many=True)}))
def list_segments(call: Call) -> Answer:
    """List all segments of the project, newest first."""
    return service.listed(call.session, call.project.id), 200


@endpoint(
    segments,
    "/segments",
    method="POST",
    spec=Spec(body=SegmentDraftIn(), answers={201: SegmentCreatedOut()}),
)
def create_segment(call: Call, *, body: SegmentDraft) -> Answer:
    """Create a segment: DYNAMIC with a condition, or STATIC with members added by hand."""
    made = service.create(call.session, call.project.id, body, now=call.now)
    return {"segment": made, "project": call.project.name}, 201


@endpoint(segments, "/segments/<segment_id>", method="GET", spec=Spec(answers={200: SegmentOut()}))
def show_segment(call: Call, segment_id: str) -> Answer:
    """Return one segment."""
    return service.get(call.session, call.project.id, segment_id), 200


@endpoint(
    segments,
    "/segments/<segment_id>",
    method="PATCH",
    spec=Spec(body=SegmentChangeIn(), answers={200: SegmentOut()}),
)
def change_segment(call: Call, segment_id: str, *, body: SegmentChange) -> Answer:
    """Change a segment; its type stays what it is."""
    return service.change(call.session, call.project.id, segment_id, body, now=call.now), 200


@endpoint(
    segments,
    "/segments/<segment_id>",
    method="DELETE",
    spec=Spec(answers={204: None}, errors=(409,)),
)
def delete_segment(call: Call, segment_id: str) -> Answer:
    """Delete a segment that no workflow and no other segment uses."""
    service.remove(call.session, call.project.id, segment_id)
    return None, 204


@endpoint(
    segments,
    "/segments/<segment_id>/contacts",
    method="GET",
    spec=Spec(query=PageQueryIn(), answers={200: SegmentContactsOut()}),
)
def list_segment_contacts(call: Call, segment_id: str, *, query: PageRequest) -> Answer:
    """List a segment's members as of now."""
    return service.page_contacts(
        call.session, call.project.id, segment_id, query, now=call.now
    ), 200


@endpoint(
    segments,
    "/segments/<segment_id>/members",
    method="POST",
    spec=Spec(body=MembersIn(), answers={200: MembersAddedOut()}),
)
def add_members(call: Call, segment_id: str, *, body: MembersDraft) -> Answer:
    """Add up to 500 contacts to a STATIC segment."""
    return segment_members.add(call.session, call.project.id, segment_id, body, now=call.now), 200


@endpoint(
    segments,
    "/segments/<segment_id>/members",
    method="DELETE",
    spec=Spec(body=LeaversIn(), answers={200: MembersRemovedOut()}),
)
def remove_members(call: Call, segment_id: str, *, body: dict[str, list[str]]) -> Answer:
    """Take up to 500 contacts out of a STATIC segment."""
    removed = segment_members.remove(
        call.session, call.project.id, segment_id, body["emails"], now=call.now
    )
    return {"removed": removed}, 200


@endpoint(
    segments,
    "/segments/<segment_id>/compute",
    method="POST",
    spec=Spec(answers={200: ComputedOut()}, errors=(400,)),
)
def compute_segment(call: Call, segment_id: str) -> Answer:
    """Note down who entered and left a tracked segment since the last time, with their events."""
    return segment_computing.compute(call.session, call.project.id, segment_id, now=call.now), 200


@endpoint(
    segments,
    "/segments/<segment_id>/refresh",
    method="POST",
    spec=Spec(answers={200: CountOut()}),
)
def refresh_segment(call: Call, segment_id: str) -> Answer:
    """Count a segment's members again."""
    return service.refresh(call.session, call.project.id, segment_id, now=call.now), 200
