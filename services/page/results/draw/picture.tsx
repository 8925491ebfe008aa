/**
 * A picture of whatever kind.
 * @module
 */
import { visible } from "../../parts/visible.ts";
import { texts } from "../../texts.ts";
import type { NameOf } from "../organization_names.ts";
import type { Forest, Picture } from "../read/pieces.ts";
import { BarsDrawing, barsGist, SharesDrawing, sharesGist } from "./bars.tsx";
import { ForestDrawing, forestGist, type Named } from "./forest.tsx";
import { HistogramDrawing, histogramGist } from "./histogram.tsx";
import { ProfileDrawing, profileGist } from "./profile.tsx";
import { SurvivalDrawing, survivalGist } from "./survival.tsx";

const words = texts.results.pictures;

export function PictureView({ picture, title, nameOf }: {
  picture: Picture;
  title: string;
  nameOf: NameOf;
}) {
  switch (picture.is) {
    case "forest": {
      const estimates = picture.estimates.map((one) => ({ ...one, name: nameShown(one, nameOf) }));
      return (
        <>
          <ForestDrawing
            forest={picture}
            estimates={estimates}
            label={forestGist(title, picture, estimates)}
          />
          {picture.leftOut.length > 0 && (
            <p class="quiet">{words.leftOut(visible(picture.leftOut.join(", ")))}</p>
          )}
        </>
      );
    }
    case "survival": {
      const groups = picture.groups.map((one) => ({ ...one, name: nameShown(one, nameOf) }));
      const hasRisk = groups.some(({ steps }) => steps.some(({ atRisk }) => atRisk !== null));
      return (
        <>
          <SurvivalDrawing groups={groups} label={survivalGist(title, groups)} />
          {hasRisk && <p class="quiet">{words.atRiskHelp}</p>}
        </>
      );
    }
    case "histogram":
      return (
        <>
          <HistogramDrawing histogram={picture} label={histogramGist(title, picture)} />
          {picture.bins.some(({ from, to }) => from === null || to === null) && (
            <p class="quiet">{words.openHelp}</p>
          )}
        </>
      );
    case "shares":
      return <SharesDrawing shares={picture} label={sharesGist(title, picture)} />;
    case "bars":
      return <BarsDrawing picture={picture} label={barsGist(title, picture)} />;
    case "profile":
      return (
        <>
          <ProfileDrawing profile={picture} label={profileGist(title, picture)} />
          {picture.scale === "each" && <p class="quiet">{words.profileHelp}</p>}
        </>
      );
    case "quantiles": {
      const estimates = picture.values.flatMap(({ probability, value }): Named[] =>
        value === null ? [] : [{ name: words.quantile(probability), value, low: null, high: null }]
      );
      const forest: Forest = {
        is: "forest",
        scale: "linear",
        hasZero: false,
        whisker: "none",
        estimates,
        leftOut: [],
      };
      return (
        <ForestDrawing
          forest={forest}
          estimates={estimates}
          label={forestGist(title, forest, estimates)}
        />
      );
    }
  }
}

function nameShown(
  { name, organization }: { name: string; organization?: number },
  nameOf: NameOf,
): string {
  const parts = [
    ...organization === undefined ? [] : [nameOf(organization)],
    ...name === "" ? [] : [Object.hasOwn(words.totals, name) ? words.totals[name]! : visible(name)],
  ];
  return parts.join(" · ") || words.all;
}
