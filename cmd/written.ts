/** Resolves when the system has taken all that was written to the streams, or nobody is there to read it. Never rejects. */
export async function written(streams: readonly NodeJS.WriteStream[]): Promise<void> {
  await Promise.all(streams.map(writtenTo));
}

function writtenTo(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve()); // called in its turn, with an error when those before had one
  });
}
