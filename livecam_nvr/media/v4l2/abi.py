"""The few structures and numbers of V4L2 that are needed here, as `linux/videodev2.h` lays them out."""

import ctypes

BUF_TYPE_VIDEO_CAPTURE = 1
MEMORY_MMAP = 1

CAP_VIDEO_CAPTURE = 0x00000001
CAP_VIDEO_M2M = 0x00008000
CAP_VIDEO_M2M_MPLANE = 0x00004000
CAP_STREAMING = 0x04000000
CAP_IO_MC = 0x20000000
"""A part of a camera behind a media controller, as on the Raspberry Pi's connectors: useless by itself."""
CAP_DEVICE_CAPS = 0x80000000
"""`device_caps` is filled in: what this node can do, not the whole device."""

FMT_FLAG_EMULATED = 0x0002

FRMSIZE_DISCRETE = 1
FRMIVAL_DISCRETE = 1

CTRL_INTEGER = 1
CTRL_BOOLEAN = 2
CTRL_MENU = 3
CTRL_BUTTON = 4
CTRL_BITMASK = 8
CTRL_INTEGER_MENU = 9
CTRL_FLAG_DISABLED = 0x0001
CTRL_FLAG_READ_ONLY = 0x0004
CTRL_FLAG_INACTIVE = 0x0010
CTRL_FLAG_WRITE_ONLY = 0x0040
CTRL_FLAG_NEXT_CTRL = 0x80000000

_U8, _U32 = ctypes.c_uint8, ctypes.c_uint32


class Capability(ctypes.Structure):
    """`struct v4l2_capability`."""

    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", _U32),
        ("capabilities", _U32),
        ("device_caps", _U32),
        ("reserved", _U32 * 3),
    )


class FormatDescription(ctypes.Structure):
    """`struct v4l2_fmtdesc`."""

    _fields_ = (
        ("index", _U32),
        ("type", _U32),
        ("flags", _U32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", _U32),
        ("mbus_code", _U32),
        ("reserved", _U32 * 3),
    )


class FrameSize(ctypes.Structure):
    """`struct v4l2_frmsizeenum`; a discrete size is in `min_width` and `max_width` (a union in the header)."""

    _fields_ = (
        ("index", _U32),
        ("pixel_format", _U32),
        ("type", _U32),
        ("min_width", _U32),
        ("max_width", _U32),
        ("step_width", _U32),
        ("min_height", _U32),
        ("max_height", _U32),
        ("step_height", _U32),
        ("reserved", _U32 * 2),
    )


class Fraction(ctypes.Structure):
    """`struct v4l2_fract`; of a frame: seconds."""

    _fields_ = (("numerator", _U32), ("denominator", _U32))


class FrameInterval(ctypes.Structure):
    """`struct v4l2_frmivalenum`; a discrete interval is in `shortest` (a union in the header)."""

    _fields_ = (
        ("index", _U32),
        ("pixel_format", _U32),
        ("width", _U32),
        ("height", _U32),
        ("type", _U32),
        ("shortest", Fraction),
        ("longest", Fraction),
        ("step", Fraction),
        ("reserved", _U32 * 2),
    )


class PixelFormat(ctypes.Structure):
    """`struct v4l2_pix_format`."""

    _fields_ = (
        ("width", _U32),
        ("height", _U32),
        ("pixelformat", _U32),
        ("field", _U32),
        ("bytesperline", _U32),
        ("sizeimage", _U32),
        ("colorspace", _U32),
        ("priv", _U32),
        ("flags", _U32),
        ("encoding", _U32),
        ("quantization", _U32),
        ("xfer_func", _U32),
    )


class _FormatUnion(ctypes.Union):
    # Other members of the header's union hold pointers, which decide how it is aligned.
    _fields_ = (("pix", PixelFormat), ("raw", _U8 * 200), ("pointer", ctypes.c_void_p))


class Format(ctypes.Structure):
    """`struct v4l2_format`."""

    _fields_ = (("type", _U32), ("fmt", _FormatUnion))


class StreamParameters(ctypes.Structure):
    """`struct v4l2_streamparm` of a capture."""

    _fields_ = (
        ("type", _U32),
        ("capability", _U32),
        ("mode", _U32),
        ("time_per_frame", Fraction),
        ("rest", _U32 * 46),
    )


class RequestBuffers(ctypes.Structure):
    """`struct v4l2_requestbuffers`."""

    _fields_ = (("count", _U32), ("type", _U32), ("memory", _U32), ("rest", _U32 * 2))


class QueryControl(ctypes.Structure):
    """`struct v4l2_query_ext_ctrl`."""

    _fields_ = (
        ("id", _U32),
        ("type", _U32),
        ("name", ctypes.c_char * 32),
        ("minimum", ctypes.c_int64),
        ("maximum", ctypes.c_int64),
        ("step", ctypes.c_uint64),
        ("default", ctypes.c_int64),
        ("flags", _U32),
        ("rest", _U32 * 39),
    )


class QueryMenu(ctypes.Structure):
    """`struct v4l2_querymenu`; an integer menu's `value` lies where the name is."""

    _fields_ = (("id", _U32), ("index", _U32), ("name", ctypes.c_char * 32), ("reserved", _U32))


class ControlValue(ctypes.Structure):
    """`struct v4l2_control`."""

    _fields_ = (("id", _U32), ("value", ctypes.c_int32))


def _ioc(direction: int, number: int, size: type[ctypes.Structure]) -> int:
    return direction << 30 | ctypes.sizeof(size) << 16 | ord("V") << 8 | number


_W, _R, _WR = 1, 2, 3
QUERYCAP = _ioc(_R, 0, Capability)
ENUM_FMT = _ioc(_WR, 2, FormatDescription)
S_FMT = _ioc(_WR, 5, Format)
REQBUFS = _ioc(_WR, 8, RequestBuffers)
S_PARM = _ioc(_WR, 22, StreamParameters)
G_CTRL = _ioc(_WR, 27, ControlValue)
S_CTRL = _ioc(_WR, 28, ControlValue)
QUERYMENU = _ioc(_WR, 37, QueryMenu)
ENUM_FRAMESIZES = _ioc(_WR, 74, FrameSize)
ENUM_FRAMEINTERVALS = _ioc(_WR, 75, FrameInterval)
QUERY_EXT_CTRL = _ioc(_WR, 103, QueryControl)
