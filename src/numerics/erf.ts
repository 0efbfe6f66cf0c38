/** The error function, in double: interval polynomials; mirrored operation for operation by assembly/numerics/erf.ts. */
import { productError } from "./expansion.ts";

/** Error function. |x| < ½: 2x/√π·(1 − x²·q(x²)), the first factor as a pair; up to 6: erf(c) + h·p(h), h = x − c, one centre c per
 *  interval, chosen where erf(c) and erf′(c) are doubles up to 2^−63; 1 beyond. |h·p(h)| < 0.17, so that its rounding stays below 0.35 ulp. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const magnitude = Math.abs(x);
  if (magnitude < 0.5) return erfNear(x);
  if (magnitude >= 6) return x > 0 ? 1 : -1;
  const y = erfPiece(magnitude);
  return x > 0 ? y : -y;
}

function erfPiece(x: number): number {
  if (x < 2) return x < 1 ? erfHalf(x) : erfOne(x);
  return x < 3 ? erfTwo(x) : x < 4 ? erfThree(x) : erfFour(x);
}

function erfNear(x: number): number {
  const z = x * x;
  let p = -1.1833213065516848e-8;
  p = p * z + 1.443659877135903e-7;
  p = p * z - 1.4587208681529695e-6;
  p = p * z + 1.3227478567905445e-5;
  p = p * z - 0.00010683760303770807;
  p = p * z + 0.0007575757573218595;
  p = p * z - 0.0046296296296198785;
  p = p * z + 0.02380952380952362;
  p = p * z - 0.09999999999999999;
  p = p * z + 0.3333333333333333;
  const y = x * 1.1283791670955126; // 2/√π = 1.1283791670955126 + 1.533545961316588e-17
  if (z < 1e-300) return y + x * 1.533545961316588e-17; // productError would underflow, z·p does not count
  return y + (productError(x, 1.1283791670955126, y) + x * 1.533545961316588e-17 - y * (z * p));
}

/** x in [½, 1). */
function erfHalf(x: number): number {
  const h = x - 0.7561798095703125;
  let p = 2.146101655271572e-5;
  p = p * h - 7.233582301762392e-5;
  p = p * h - 0.00011202015397267893;
  p = p * h + 0.0006157607773957373;
  p = p * h + 0.00022816609460853547;
  p = p * h - 0.003955453671196739;
  p = p * h + 0.00208142471389844;
  p = p * h + 0.018543581808319155;
  p = p * h - 0.026072643096695172;
  p = p * h - 0.05422431653130792;
  p = p * h + 0.14902657828079013;
  p = p * h + 0.030493202328002126;
  p = p * h - 0.48166725073664257;
  p = p * h + 0.6369744928925601;
  return 0.7151104165941328 + h * p;
}

/** x in [1, 2). */
function erfOne(x: number): number {
  const h = x - 1.5069732666015625;
  let p = -1.009270491876672e-7;
  p = p * h - 2.9612942763608583e-7;
  p = p * h + 1.496310632414848e-6;
  p = p * h + 7.401674226065994e-7;
  p = p * h - 1.4023239412483004e-5;
  p = p * h + 1.6588800770098716e-5;
  p = p * h + 7.925590032818859e-5;
  p = p * h - 0.00024788185997776324;
  p = p * h - 0.0001121810043592717;
  p = p * h + 0.0017026657800030872;
  p = p * h - 0.0022555878275436507;
  p = p * h - 0.0048718687023627544;
  p = p * h + 0.019091481749026668;
  p = p * h - 0.014062574604123067;
  p = p * h - 0.04510315157423317;
  p = p * h + 0.13750090689650263;
  p = p * h - 0.17550583151704485;
  p = p * h + 0.11646247176821874;
  return 0.9669258512959923 + h * p;
}

/** x in [2, 3). */
function erfTwo(x: number): number {
  const h = x - 2.4997711181640625;
  let p = 1.5616424632503385e-7;
  p = p * h - 6.213327968373235e-7;
  p = p * h + 1.9278147063113322e-7;
  p = p * h + 4.681689597042448e-6;
  p = p * h - 1.4095899550017514e-5;
  p = p * h + 5.177559861791676e-6;
  p = p * h + 7.878857069308531e-5;
  p = p * h - 0.00025046595384030053;
  p = p * h + 0.00026118591756756076;
  p = p * h + 0.0005419323019514125;
  p = p * h - 0.0027993588086800713;
  p = p * h + 0.006121191951065564;
  p = p * h - 0.008629378027226138;
  p = p * h + 0.008357986775202999;
  p = p * h - 0.005451446838291238;
  p = p * h + 0.0021807783915413;
  return 0.9995925491274772 + h * p;
}

/** x in [3, 4). */
function erfThree(x: number): number {
  const h = x - 3.498291015625;
  let p = 8.478399051801745e-8;
  p = p * h - 3.068668287935004e-7;
  p = p * h + 4.5318887918692117e-7;
  p = p * h + 4.363633833508825e-7;
  p = p * h - 4.649756361639822e-6;
  p = p * h + 1.5410027310352815e-5;
  p = p * h - 3.449554485433602e-5;
  p = p * h + 5.866276284871187e-5;
  p = p * h - 7.844320972759839e-5;
  p = p * h + 8.29170427735954e-5;
  p = p * h - 6.842290413711079e-5;
  p = p * h + 4.27608305742589e-5;
  p = p * h - 1.911603159653537e-5;
  p = p * h + 5.464391473152951e-6;
  return 0.999999247618686 + h * p;
}

/** x in [4, 6). */
function erfFour(x: number): number {
  const h = x - 4.997711181640625;
  let p = -1.494269354877135e-13;
  p = p * h + 5.716233256147169e-12;
  p = p * h - 2.9609712856049626e-11;
  p = p * h + 8.617818609904476e-11;
  p = p * h - 2.0383444708108094e-10;
  p = p * h + 4.3390529117160757e-10;
  p = p * h - 8.099528137253659e-10;
  p = p * h + 1.3101613125837946e-9;
  p = p * h - 1.8515440833719887e-9;
  p = p * h + 2.2896787104111718e-9;
  p = p * h - 2.4610282180768345e-9;
  p = p * h + 2.2768883084193295e-9;
  p = p * h - 1.7903793430031401e-9;
  p = p * h + 1.1750873753196235e-9;
  p = p * h - 6.270840009041658e-10;
  p = p * h + 2.6163804044435387e-10;
  p = p * h - 8.013128499903227e-11;
  p = p * h + 1.6033592975703422e-11;
  return 0.9999999999984263 + h * p;
}
