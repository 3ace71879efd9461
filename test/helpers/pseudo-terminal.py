"""Runs a command on a pseudo-terminal: python3 pseudo-terminal.py COLUMNS ROWS COMMAND...

What the command writes comes out as it is. Each line that goes in is a JSON object: {"keys": "..."} is typed, {"size": [columns, rows]} resizes the
terminal, {"signal": 15} goes to the command. It ends with the command's exit code, or 128 and the number of the signal that ended it.
"""

import fcntl, json, os, pty, select, struct, sys, termios

columns, rows, *command = sys.argv[1:]
resize = lambda fd, columns, rows: fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
gate, opened = os.pipe()
pid, master = pty.fork()
if pid == 0:
    os.read(gate, 1)
    os.execvp(command[0], command)
resize(master, columns, rows)
os.write(opened, b"x")
pending = b""
watched = [master, 0]
while True:
    ready, _, _ = select.select(watched, [], [])
    if master in ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b""
        if data == b"":
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if data == b"":
            watched.remove(0)
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            asked = json.loads(line)
            if "keys" in asked:
                os.write(master, asked["keys"].encode())
            if "size" in asked:
                resize(master, *asked["size"])
            if "signal" in asked:
                os.kill(pid, asked["signal"])
status = os.waitpid(pid, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
