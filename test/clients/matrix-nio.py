"""Two humans with matrix-nio and its encryption, against the server at the URL given. It says "ready" when the server may be killed, and goes
on when it is told a line. It ends with 0 if all was as it should be."""

import asyncio
import os
import sys
import tempfile

from nio import AsyncClient, AsyncClientConfig, MegolmEvent, RedactionEvent, RoomEncryptedFile, RoomMessageText
from nio.crypto import decrypt_attachment

PASSWORD = "correct horse battery"
ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


class Device:
    def __init__(self, url, user, folder):
        os.makedirs(folder)
        config = AsyncClientConfig(store_sync_tokens=True, encryption_enabled=True)
        self.client = AsyncClient(url, user, store_path=folder, config=config)
        self.seen = []
        kinds = (RoomMessageText, RoomEncryptedFile, MegolmEvent, RedactionEvent)
        self.client.add_event_callback(lambda _, event: self.seen.append(event), kinds)

    async def begin(self):
        await self.until("the first sync", lambda: self.client.next_batch)
        if self.client.should_upload_keys:
            said = await self.client.keys_upload()
            assert said.signed_curve25519_count > 0, said

    async def until(self, what, look):
        """Syncs until it is so."""
        for _ in range(20):
            found = look()
            if found:
                return found
            await self.client.sync(timeout=3000)
        raise AssertionError(f"{self.client.user_id} waited in vain for {what}")

    async def heard(self, body):
        def look():
            return [one for one in self.seen if getattr(one, "body", None) == body]

        [event] = await self.until(f"'{body}'", look)
        assert event.decrypted, event
        return event

    async def say(self, room, content):
        if self.client.should_query_keys:
            await self.client.keys_query()
        said = await self.client.room_send(room, "m.room.message", content, ignore_unverified_devices=True)
        return said.event_id

    def devices_of(self, other):
        return list(self.client.device_store.active_user_devices(other.client.user_id))


def text(body, **more):
    return {"msgtype": "m.text", "body": body, **more}


async def verify(asking, asked):
    [device] = asking.devices_of(asked)
    await asking.client.start_key_verification(device)
    name = await asked.until("the verification", lambda: next(iter(asked.client.key_verifications), None))
    await asked.client.accept_key_verification(name)
    mine = asking.client.key_verifications[name]
    await asking.until("the acceptance", lambda: mine.commitment)
    await asking.client.to_device(mine.share_key())
    theirs = asked.client.key_verifications[name]
    await asked.until("the key", lambda: theirs.established_sas)
    await asked.client.to_device(theirs.share_key())
    await asking.until("the other key", lambda: mine.established_sas)
    assert mine.get_emoji() == theirs.get_emoji()
    await asking.client.confirm_short_auth_string(name)
    await asked.client.confirm_short_auth_string(name)
    await asking.until("the confirmation", lambda: mine.verified)
    await asked.until("the confirmation", lambda: theirs.verified)
    assert asking.devices_of(asked)[0].verified and asked.devices_of(asking)[0].verified


async def converse(url, folder):
    alice, bob = (Device(url, name, f"{folder}/{name}") for name in ("alice", "bob"))
    for one in (alice, bob):
        await one.client.register(one.client.user, PASSWORD, "nio")
        await one.begin()
    room = (await alice.client.room_create(invite=[bob.client.user_id], initial_state=[ENCRYPTED])).room_id
    await bob.until("the invitation", lambda: room in bob.client.invited_rooms)
    await bob.client.join(room)
    await alice.until("bob", lambda: room in alice.client.rooms and len(alice.client.rooms[room].users) == 2)
    await bob.until("the room", lambda: room in bob.client.rooms and bob.client.rooms[room].encrypted)

    first = await alice.say(room, text("Hello, Bob"))
    assert (await bob.heard("Hello, Bob")).event_id == first
    reply = await bob.say(room, text("Hello yourself", **{"m.relates_to": {"m.in_reply_to": {"event_id": first}}}))
    await alice.heard("Hello yourself")
    await bob.client.room_redact(room, reply)
    await alice.until("the redaction", lambda: reply in [getattr(one, "redacts", None) for one in alice.seen])

    file = os.urandom(100_000)
    path = f"{folder}/file"
    with open(path, "wb") as written:
        written.write(file)
    up, keys = await alice.client.upload(lambda *_: path, encrypt=True, filesize=len(file))
    await alice.say(room, {"msgtype": "m.file", "body": "notes", "file": {**keys, "url": up.content_uri}})
    told = await bob.heard("notes")
    down = await bob.client.download(told.url)
    assert decrypt_attachment(down.body, told.key["k"], told.hashes["sha256"], told.iv) == file

    await verify(alice, bob)

    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await alice.say(room, text("Are you there?"))
    await bob.heard("Are you there?")
    second = Device(url, bob.client.user_id, f"{folder}/second")
    await second.client.login(PASSWORD, "another one")
    await second.begin()
    await alice.until("the new device", lambda: alice.client.should_query_keys)
    await alice.say(room, text("To both of you"))
    for one in (bob, second):
        await one.heard("To both of you")
    assert len(alice.devices_of(bob)) == 2
    await second.client.logout()
    await alice.until("the device to go", lambda: alice.client.should_query_keys)
    await alice.client.keys_query()
    assert len(alice.devices_of(bob)) == 1
    for one in (alice, bob, second):
        await one.client.close()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(asyncio.wait_for(converse(sys.argv[1], folder), 100))
