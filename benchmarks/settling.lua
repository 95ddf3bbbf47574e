-- Sends requests that were written to files beforehand: FOLDER/PREFIX-0, -1, … one file a thread.
-- Each request stands after its length and a line feed, and is sent once; a thread whose file is at
-- its end stops. With `again` as a second argument it begins anew instead.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  file = assert(io.open(args[1] .. "-" .. number, "rb"))
  again = args[2] == "again"
end

function request()
  local length = file:read("*n")
  if not length and again then
    file:seek("set")
    length = file:read("*n")
  end
  if not length then
    wrk.thread:stop()
    return last
  end
  file:read(1)
  last = file:read(length)
  return last
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "RESULT %d %d %.1f %.1f %.1f %.1f %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    latency.max, latency.mean, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
