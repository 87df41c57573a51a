"""Models were a field of their own once: agents and clients of either time understand each other through us."""

import json

from programs import scripted

MODELS = {
    "currentModelId": "m1",
    "availableModels": [{"modelId": "m1", "name": "M 1"}, {"modelId": "m2", "name": "M 2"}],
}
MODEL_OPTION = {
    "id": "model",
    "name": "Model",
    "category": "model",
    "type": "select",
    "currentValue": "m1",
    "options": [{"value": "m1", "name": "M 1"}, {"value": "m2", "name": "M 2"}],
}


def test_the_models_field_of_an_agent_becomes_the_option_model_and_either_way_sets_it(place):
    code = {"new": f"answers['session/new'] = {{'sessionId': 's', 'models': {MODELS}}}"}
    far = place.start(engines={"odd": scripted(**code, prompt="tell(json.dumps(got['session/set_model']))")})
    far.greet()
    answer = far.ask("session/new", cwd=far.cwd, mcpServers=[])["result"]
    session = answer["sessionId"]
    assert answer["models"] == MODELS
    assert MODEL_OPTION in answer["configOptions"]
    far.ask("session/set_config_option", sessionId=session, configId="model", value="m2")
    far.prompt(session, "which one?")
    assert json.loads(far.text(session)) == {"sessionId": "s", "modelId": "m2"}
    far.messages.clear()
    assert far.ask("session/set_model", sessionId=session, modelId="m1")["result"] == {}
    far.prompt(session, "which one?")
    assert json.loads(far.text(session)) == {"sessionId": "s", "modelId": "m1"}


def test_a_client_that_still_says_set_model_sets_the_option_of_a_newer_agent(place):
    option = "session/set_config_option"
    code = {
        "new": f"answers['session/new'] = {{'sessionId': 's', 'configOptions': [{MODEL_OPTION}]}}",
        "set_config_option": f"answers[{option!r}] = {{'configOptions': [{ {**MODEL_OPTION, 'currentValue': 'm2'} }]}}",
    }
    far = place.start(engines={"odd": scripted(**code, prompt=f"tell(json.dumps(got[{option!r}]))")})
    session = far.begin()
    assert far.ask("session/set_model", sessionId=session, modelId="m2")["result"] == {}
    far.prompt(session, "which one?")
    assert json.loads(far.text(session)) == {"sessionId": "s", "configId": "model", "value": "m2"}
    [told] = [update for update in far.updates(session) if update["sessionUpdate"] == "config_option_update"]
    assert {**MODEL_OPTION, "currentValue": "m2"} in told["configOptions"]
