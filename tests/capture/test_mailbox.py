"""One slot: the newest wins, the rest is counted."""

from appliance.capture.mailbox import Mailbox


def test_the_newest_item_wins_and_the_older_is_counted():
    mailbox = Mailbox()
    mailbox.put(1)
    mailbox.put(2)
    assert mailbox.take(0) == 2
    assert mailbox.dropped == 1


def test_an_item_is_taken_once():
    mailbox = Mailbox()
    mailbox.put("a")
    assert mailbox.take(0) == "a"
    assert mailbox.take(0) is None


def test_nothing_is_dropped_where_each_item_is_taken():
    mailbox = Mailbox()
    for item in range(5):
        mailbox.put(item)
        assert mailbox.take(0) == item
    assert mailbox.dropped == 0
