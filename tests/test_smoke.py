def test_contact(api):
    assert api.post("/contacts", {"email": "a@b.co"}).status_code == 201
