import type { ScalarFunction, TableFunction } from '../functions.ts';
import { arrayFunctions } from './arrays.ts';
import { bytesFunctions } from './bytes.ts';
import { comparisonFunctions } from './comparisons.ts';
import { jsonFunctions } from './json.ts';
import { lambdaFunctions } from './lambdas.ts';
import { mapFunctions } from './maps.ts';
import { maskFunctions } from './masks.ts';
import { numberFunctions } from './numbers.ts';
import { regexpFunctions } from './regexp.ts';
import { standardFunctions } from './standard.ts';
import { stringFunctions } from './strings.ts';
import { tableFunctions } from './table-functions.ts';
import { timeArithmeticFunctions } from './time-arithmetic.ts';
import { timePartFunctions } from './time-parts.ts';
import { timeTextFunctions } from './time-text.ts';
import { trigonometricFunctions } from './trigonometry.ts';
import { urlFunctions } from './urls.ts';
import { zoneDayFunctions } from './zone-days.ts';

/** Every scalar and table function that Millrace ships. */
export const builtInFunctions: readonly (ScalarFunction | TableFunction)[] = [
  ...arrayFunctions,
  ...bytesFunctions,
  ...comparisonFunctions,
  ...jsonFunctions,
  ...lambdaFunctions,
  ...mapFunctions,
  ...maskFunctions,
  ...numberFunctions,
  ...regexpFunctions,
  ...standardFunctions,
  ...stringFunctions,
  ...tableFunctions,
  ...timeArithmeticFunctions,
  ...timePartFunctions,
  ...timeTextFunctions,
  ...trigonometricFunctions,
  ...urlFunctions,
  ...zoneDayFunctions,
];
