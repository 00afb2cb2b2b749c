"""The OpenAPI document names every status that an operation can answer with, and the body of a refusal."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

PROBLEM = {"$ref": "#/components/schemas/Problem"}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "A refusal, as of RFC 9457.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "errors": {"description": "What is wrong, by field."},
        "conflicts": {"type": "object", "additionalProperties": True},
    },
    "required": ["type", "title", "status"],
}
# Statuses of the middleware, the framework and the access rules: every operation has them.
ALWAYS = {
    "400": "The request could not be understood.",
    "401": "Not signed in.",
    "403": "Not permitted, or without a CSRF token.",
    "404": "Does not exist, or is outside one's scope.",
    "405": "The method is not offered here.",
    "406": "Only JSON is offered.",
    "429": "Too many requests.",
    "503": "A server behind the site does not answer; try again.",
}
# Statuses of operations with a body.
WITH_BODY = {
    "409": "The state of the record does not allow this, or somebody else was first.",
    "411": "The length of the body is missing.",
    "412": "The record has changed since it was read.",
    "413": "The body is too large.",
    "415": "Only JSON is read.",
    "422": "A value is refused.",
    "428": "The revision that was read is missing.",
}


class StatusSchema(AutoSchema):
    """Adds the refusals to what a view says of its answers."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with a response for each refusal that it does not describe itself."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        statuses = ALWAYS | (WITH_BODY if self.method in {"POST", "PUT", "PATCH", "DELETE"} else {})
        for status, description in statuses.items():
            response = operation["responses"].setdefault(status, {"description": description})
            response.setdefault("content", {})["application/problem+json"] = {"schema": PROBLEM}
        if getattr(self.view, "access", "") == "public":
            operation["responses"]["304"] = {"description": "As the client has it."}
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation


def add_problem(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing hook: the schema that the refusals refer to."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result
