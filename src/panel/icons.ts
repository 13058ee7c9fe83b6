/**
 * The project's icons.
 *
 * @packageDocumentation
 */
import { LabIcon } from '@jupyterlab/ui-components';
import castlensSvg from '../../style/icons/castlens.svg';

/** The lens over a weight: files, tabs, launcher. */
export const castlensIcon = new LabIcon({ name: 'castlens:icon', svgstr: castlensSvg });
