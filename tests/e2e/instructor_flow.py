"""The instructor library: an object of a pydantic model, by tools and by a JSON schema.

usage: instructor_flow.py ADDRESS MODEL      (clients_test.py calls it, in an environment of its own)
"""

import sys

import instructor
import openai
from pydantic import BaseModel, Field


class Light(BaseModel):
    room: str = Field(max_length=12)
    level: int = Field(ge=0, le=9)


address, model = sys.argv[1:]
for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
    client = instructor.from_openai(openai.OpenAI(base_url=address + "/v1", api_key="none", max_retries=0), mode=mode)
    light = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Turn on the kitchen light."}], response_model=Light,
        temperature=0, max_tokens=120, max_retries=0)
    assert 0 <= light.level <= 9, light
print("instructor: all flows")
