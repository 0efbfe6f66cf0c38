/** A picture or a camera frame as the model's input. */
import { useEffect, useRef, useState } from "preact/hooks";
import { drawTensor, likelyRange, type PictureShape, pictureTensor, pixelsOf, RANGES, type Range } from "./image.ts";
import type { Story } from "./story.ts";

/** A camera's live picture while `on`; what went wrong otherwise. */
function useCamera(on: boolean) {
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!on) return;
    let stream: MediaStream | null = null;
    let stopped = false;
    setProblem(null);
    const start = async (): Promise<void> => {
      if (!navigator.mediaDevices) throw new Error("this page's address is not secure (https or localhost), so browsers give it no camera");
      stream = await navigator.mediaDevices.getUserMedia({ video: true });
      if (stopped || !video.current) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      video.current.srcObject = stream;
      await video.current.play();
    };
    start().catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
    return () => {
      stopped = true;
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [on]);
  return { video, problem };
}

export function PicturePart({ story, shape }: { story: Story; shape: PictureShape }) {
  const { state, choose, drop } = story;
  const port = state.loaded!.inspect.inputs[0]!;
  const [range, setRange] = useState<Range>(likelyRange(port));
  const [camera, setCamera] = useState(false);
  const pixels = useRef<ImageData | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { video, problem } = useCamera(camera);
  const newest = state.pictures.at(-1);
  const use = (given: Range = range): void => {
    if (!pixels.current) return;
    const picture = pictureTensor(pixels.current, port, shape, given);
    if (canvas.current) drawTensor(canvas.current, picture, shape);
    choose({ picture });
  };
  useEffect(() => {
    if (!newest) return;
    let current = true;
    const show = async (): Promise<void> => {
      const bitmap = await createImageBitmap(newest);
      if (!current) return;
      pixels.current = pixelsOf(bitmap, shape);
      use();
    };
    show().catch(() => choose({ picture: null }));
    return () => {
      current = false;
    };
  }, [newest]);
  return (
    <div class="picture">
      <canvas
        ref={canvas}
        class="preview"
        role="img"
        aria-label={`The picture at ${shape.width} by ${shape.height}`}
        hidden={!state.choice.picture}
      />
      {camera && <video ref={video} muted playsInline aria-label="Camera" />}
      {problem && <p role="alert">Camera: {problem}</p>}
      <p class="row">
        <label>
          Picture file{" "}
          <input
            type="file"
            id="picture"
            accept="image/*"
            onChange={({ currentTarget }) => void drop(Array.from(currentTarget.files ?? []))}
          />
        </label>
        <button type="button" aria-pressed={camera} onClick={() => setCamera(!camera)}>
          {camera ? "Stop the camera" : "Start the camera"}
        </button>
        {camera && (
          <button
            type="button"
            onClick={() => {
              if (!video.current?.videoWidth) return;
              pixels.current = pixelsOf(video.current, shape);
              use();
            }}
          >
            Take this frame
          </button>
        )}
        <label>
          Values{" "}
          <select
            value={range}
            onChange={({ currentTarget }) => {
              const chosen = currentTarget.value as Range;
              setRange(chosen);
              use(chosen);
            }}
          >
            {RANGES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </p>
    </div>
  );
}
