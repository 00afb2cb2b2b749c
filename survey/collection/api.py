"""API of the contact notes: the same scope, checks and audit rows as the page."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from survey.access.requests import AuthenticatedApiRequest
from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn
from survey.collection import services
from survey.collection.models import Assignment, ContactNote
from survey.collection.selectors import assignments_of, contact_notes_of
from survey.request_bodies import JSONTypes


class ContactNoteSerializer(JSONTypes, serializers.ModelSerializer[ContactNote]):
    """One contact with a unit."""

    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = ContactNote
        fields = ("id", "at", "by", "channel", "direction", "role", "outcome", "text", "follow_up_on")
        extra_kwargs = {"at": {"required": False}, "direction": {"required": False}}


class ContactNotesView(APIView):
    """Contacts with one unit in one round."""

    permission_classes = [SignedIn, HasPermission]
    request: AuthenticatedApiRequest
    permission = Permission.MANAGE_UNITS

    def _assignment(self, pk: int) -> Assignment:
        return get_object_or_404(assignments_of(self.request.user), pk=pk)

    @extend_schema(responses=ContactNoteSerializer(many=True))
    def get(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """List the notes, newest first."""
        user: Any = request.user
        return Response(ContactNoteSerializer(contact_notes_of(user, self._assignment(pk)), many=True).data)

    @extend_schema(request=ContactNoteSerializer, responses={201: ContactNoteSerializer})
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Record a contact."""
        assignment = self._assignment(pk)
        serializer = ContactNoteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        note = services.record_contact(assignment, by=request.user, via="api", **serializer.validated_data)
        return Response(ContactNoteSerializer(note).data, status=201)
