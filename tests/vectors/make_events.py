# SPDX-License-Identifier: BSD-3-Clause
"""A file of events as TensorBoard's own writer makes it: scalars.tfevents beside this script.

    pip install tensorboard==2.21.0 && python tests/vectors/make_events.py
"""
import pathlib

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def scalar(tag, value):
    return summary_pb2.Summary.Value(tag=tag, simple_value=value)


with open(pathlib.Path(__file__).parent / "scalars.tfevents", "wb") as file:
    writer = RecordWriter(file)
    for event in (
            event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2"),
            event_pb2.Event(wall_time=1700000001.5, step=1,
                            summary=summary_pb2.Summary(value=[scalar("train/loss", 0.625)])),
            event_pb2.Event(wall_time=1700000002.75, step=300000,
                            summary=summary_pb2.Summary(value=[scalar("train/loss", -1.1),
                                                               scalar("validation/Auc", 0.9135)])),
            event_pb2.Event(wall_time=1700000003.0, step=129,
                            session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))):
        writer.write(event.SerializeToString(deterministic=True))
